// The documentation of the HTTP interface, shown by Swagger UI from this host alone.

interface Options {
  url: string;
  dom_id: string;
  deepLinking: boolean;
  /** Null keeps Swagger UI from sending the document to its validator on the internet. */
  validatorUrl: null;
  defaultModelsExpandDepth: number;
}

declare const SwaggerUIBundle: (options: Options) => unknown;

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
});
