// Paths of icons that several parts of the map have, in a box of 20 by 20.
export const LINK = "m8.5 11.5 3-3m-2-2.5L11 4.5a3.2 3.2 0 0 1 4.5 4.5L14 10.5m-3.5 3.5L9 15.5A3.2 3.2 0 0 1 4.5 11L6 9.5";
export const IMAGE = "M3 4.5h14v11H3zM3 13l4-4 3.5 3.5L13 10l4 3.5M12.5 7.5h.01";
export const PAGE = "M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M8 10h5M8 13h5";
export const GRID = "M3 4.5h14v11H3zM3 8.2h14M3 11.8h14M8 4.5v11";
export const BRACES = "M7.5 3.5C5 3.5 6.5 9 3.5 10c3 1 1.5 6.5 4 6.5M12.5 3.5c2.5 0 1 5.5 4 6.5-3 1-1.5 6.5-4 6.5";
