// esbuild takes imported style sheets into the page's own; TypeScript only needs to know that they exist.
declare module "*.css";
