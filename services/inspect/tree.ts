/** DuckDB's own syntax tree, as `json_serialize_sql` gives it. Read without trust in its form. */
export type Tree = { readonly [key: string]: unknown }

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function treeAt(tree: Tree, key: string): Tree | undefined {
  const value = tree[key]
  return isTree(value) ? value : undefined
}

export function treesAt(tree: Tree, key: string): Tree[] {
  const value = tree[key]
  return Array.isArray(value) ? value.filter(isTree) : []
}

export function textAt(tree: Tree, key: string): string {
  const value = tree[key]
  return typeof value === 'string' ? value : ''
}

export function textsAt(tree: Tree, key: string): string[] {
  const value = tree[key]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** Where a node stands in the text, in bytes; "nowhere" is 2^64 - 1 there. */
export function locationOf(tree: Tree): number | undefined {
  const value = tree.query_location
  return typeof value === 'number' && value < 1e9 ? value : undefined
}
