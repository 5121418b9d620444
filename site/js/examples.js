// Examples to start from, for the settings whose values are lists.

export const EXAMPLES = {
  // Two of the three parts of Segment's mapping language: FQL in `subscribe`, directives such as @path in `mapping`.
  subscriptions: [
    {
      name: "Orders from 100 on",
      enabled: true,
      subscribe: 'type = "track" and event = "Order Completed" and properties.total >= 100',
      partnerAction: "trackEventV2",
      mapping: {
        name: "Large order",
        properties: {
          order: { "@path": "$.properties.order_id" },
          total: { "@path": "$.properties.total" },
          title: { "@template": "{{properties.currency}} {{properties.total}}" },
        },
      },
    },
    {
      name: "Products, by their category",
      enabled: true,
      subscribe: 'type = "track" and event = "Product Added"',
      partnerAction: "trackEventV2",
      mapping: {
        name: { "@template": "{{properties.category}} added" },
        properties: { "@path": "$.properties" },
      },
    },
    {
      name: "Who it is",
      enabled: true,
      subscribe: 'type = "identify"',
      partnerAction: "identifyUserV2",
      mapping: { userId: { "@path": "$.userId" }, traits: { "@path": "$.traits" } },
    },
  ],
  whitelistedEvents: [{ eventName: "Order Completed" }, { eventName: "Product Added" }],
  blacklistedEvents: [{ eventName: "Product Viewed" }],
};
