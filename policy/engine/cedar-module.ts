export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs')
