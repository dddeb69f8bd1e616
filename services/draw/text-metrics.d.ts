import 'vega'

/** Part of Vega's scene graph, for programs that measure text themselves; its own types leave it out. */
declare module 'vega' {
  export const textMetrics: {
    width: (item: { fontSize?: number; limit?: number }, text: unknown) => number
  }
}
