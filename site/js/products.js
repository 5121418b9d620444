// What the shop sells.

export const CURRENCY = "EUR";

export const PRODUCTS = [
  {
    id: "cowboy",
    name: "Yellow cowboy boots",
    category: "Boots",
    price: 99.95,
    about: "Pointed toe, stitched shaft, and a colour that finds its way home on its own.",
  },
  {
    id: "hiking",
    name: "Ridge hiking boots",
    category: "Boots",
    price: 149.5,
    about: "A sole with deep lugs and laces that stay tied up to the summit and back.",
  },
  {
    id: "rain",
    name: "Puddle rain boots",
    category: "Boots",
    price: 54.9,
    about: "Natural rubber, all the way up. Made for people who don't walk around puddles.",
  },
  {
    id: "chelsea",
    name: "Harbour Chelsea boots",
    category: "Boots",
    price: 129,
    about: "Slip in, walk off. Calf leather with an elastic side that lasts for years.",
  },
  {
    id: "socks",
    name: "Thick wool socks",
    category: "Care",
    price: 14.5,
    about: "Two pairs of merino wool. Half of a good boot is the sock in it.",
  },
  {
    id: "wax",
    name: "Boot wax and brush",
    category: "Care",
    price: 18.9,
    about: "Beeswax in a tin that outlives the boots, and a brush to put it on.",
  },
];

const format = new Intl.NumberFormat("en-IE", { style: "currency", currency: CURRENCY });

/** 99.95 → "€99.95" */
export const price = (amount) => format.format(amount);
