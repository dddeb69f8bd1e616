/** Bundles the runner into one file that needs only `@duckdb/node-bindings` beside it. */
export declare function buildRunner(outfile: string): Promise<void>
