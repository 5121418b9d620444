// The shop. Its calls of `analytics` are those of any shop's page; the names are those of the ecommerce spec.

import { CURRENCY, PRODUCTS, price } from "./products.js";

const find = (selector) => document.querySelector(selector);
const CUSTOMER = "shop-customer"; // the shop's own sign-in, kept over page loads

/** Start the shop; `analytics` is window.analytics or window.rudderanalytics. */
export function startShop(analytics) {
  const cart = new Map(); // product → quantity
  const customer = JSON.parse(localStorage.getItem(CUSTOMER));

  // A page load: the page, and who is looking at it.
  analytics.page();
  if (customer) analytics.identify(customer.id, customer.traits);
  showCustomer(customer);
  showProducts(location.hash.slice(1));
  showCart(cart);

  // Pages within the page
  window.addEventListener("hashchange", () => {
    const category = showProducts(location.hash.slice(1));
    if (category) analytics.page("Shop", category);
    else analytics.page("Shop");
  });

  // Products
  function view(product) {
    analytics.track("Product Viewed", described(product));
    const dialog = find("#product");
    dialog.querySelector("img").src = `art/${product.id}.svg`;
    dialog.querySelector("h2").textContent = product.name;
    dialog.querySelector(".about").textContent = product.about;
    dialog.querySelector(".price").textContent = price(product.price);
    ask(dialog, { add: () => add(product) });
  }

  function add(product) {
    cart.set(product, (cart.get(product) ?? 0) + 1);
    analytics.track("Product Added", { ...described(product), quantity: 1 });
    showCart(cart);
    say(`In your cart: ${product.name}`);
  }

  find("#products").addEventListener("click", (event) => {
    const card = event.target.closest("[data-product]");
    const product = PRODUCTS.find((each) => each.id === card?.dataset.product);
    if (product) (event.target.closest(".add") ? add : view)(product);
  });

  // Cart
  find("#open-cart").addEventListener("click", () => {
    analytics.page("Cart");
    ask(find("#cart"), { order });
  });

  function order() {
    const total = sum(cart);
    analytics.track("Order Completed", {
      order_id: `P${Date.now() % 1_000_000}`,
      total,
      revenue: total,
      currency: CURRENCY,
      products: [...cart].map(([product, quantity]) => ({ ...described(product), quantity })),
    });
    cart.clear();
    showCart(cart);
    say("Thank you for your order.");
  }

  // Customers
  find("#sign-in").addEventListener("click", () => {
    ask(find("#account"), {
      "sign-in": ({ id, ...traits }) => {
        analytics.identify(id, traits);
        localStorage.setItem(CUSTOMER, JSON.stringify({ id, traits }));
        showCustomer({ id, traits });
      },
    });
  });

  find("#sign-out").addEventListener("click", () => {
    analytics.reset();
    localStorage.removeItem(CUSTOMER);
    showCustomer(null);
    say("Signed out.");
  });

  find("#newsletter").addEventListener("submit", (event) => {
    event.preventDefault();
    // Traits without a user id: the visitor stays anonymous, unless signed in.
    analytics.identify({ newsletter: true, shoe_size: Number(event.target.elements.size.value) });
    say("We will keep you posted.");
  });
}

/** A product in the words of the ecommerce spec. */
function described({ id, name, category, price }) {
  return { product_id: id, name, category, price, currency: CURRENCY };
}

/** Open a dialog; the button that closes it decides by its value what is done, with the form's fields. */
function ask(dialog, actions) {
  dialog.returnValue = "";
  dialog.onclose = () => {
    const fields = Object.fromEntries(new FormData(dialog.querySelector("form")));
    actions[dialog.returnValue]?.(fields);
  };
  dialog.showModal();
}

function sum(cart) {
  const cents = [...cart].reduce((total, [product, quantity]) => total + Math.round(product.price * 100) * quantity, 0);
  return cents / 100;
}

/** Show the products of a category, or all; returns the category. */
function showProducts(wanted) {
  const category = PRODUCTS.find((each) => each.category.toLowerCase() === wanted)?.category;
  find("#heading").textContent = category ?? "Everything";
  const shown = PRODUCTS.filter((each) => !category || each.category === category);
  find("#products").replaceChildren(...shown.map(card));
  return category;
}

function card(product) {
  const article = element("article", "card");
  article.dataset.product = product.id;
  const picture = element("button", "picture");
  picture.type = "button";
  picture.setAttribute("aria-label", `Look at ${product.name}`);
  const image = element("img");
  image.src = `art/${product.id}.svg`;
  image.alt = "";
  picture.append(image);
  const add = element("button", "button small add", "Add to cart");
  add.type = "button";
  const foot = element("div", "foot");
  foot.append(element("span", "price", price(product.price)), add);
  article.append(picture, element("h3", "", product.name), foot);
  return article;
}

function showCart(cart) {
  find("#cart-count").textContent = [...cart.values()].reduce((total, quantity) => total + quantity, 0);
  const lines = [...cart].map(([product, quantity]) => {
    const line = element("li");
    line.append(
      element("span", "", `${quantity} × ${product.name}`),
      element("span", "", price(product.price * quantity)),
    );
    return line;
  });
  find("#lines").replaceChildren(...(lines.length ? lines : [element("li", "hint", "Nothing in it yet.")]));
  find("#total").textContent = price(sum(cart));
  find("#order").disabled = !lines.length;
}

function showCustomer(customer) {
  find("#sign-in").hidden = Boolean(customer);
  find("#sign-out").hidden = !customer;
  find("#sign-out").title = customer ? `Signed in as ${customer.id}` : "";
}

let toastTimer;
function say(text) {
  const toast = find("#toast");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("shown"), 2500);
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
