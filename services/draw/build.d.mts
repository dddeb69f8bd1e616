/** Bundles what draws pictures into a folder, with the font and the WebAssembly beside it. */
export declare function buildGraph(folder: string): Promise<void>
