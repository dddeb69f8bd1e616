import { setFlagsFromString } from 'node:v8'

/**
 * What Node 20 needs, before any other module is loaded: every entry point imports this one first.
 *
 * Its compiler (V8 11.3) ends the process, with nothing of ours on the stack, when a function that it optimised has to be given up
 * while it waits for WebAssembly that returns a reference, which is how Cedar returns every decision. It happened after some
 * thousand decisions. Calls that are not inlined are safe.
 */
if (process.versions.v8.startsWith('11.')) setFlagsFromString('--no-turbo-inline-js-wasm-calls')

/**
 * Node 20 lacks ES2024 `Promise.withResolvers`, which libp2p 3 calls almost everywhere; without it the far side of a
 * handshake dies and the dialler sees only ECONNRESET.
 */
if (typeof Promise.withResolvers !== 'function') {
  Promise.withResolvers = function withResolvers<T>(this: PromiseConstructor): PromiseWithResolvers<T> {
    let settle: Pick<PromiseWithResolvers<T>, 'resolve' | 'reject'> | undefined
    const promise = new this<T>((resolve, reject) => {
      settle = { resolve, reject }
    })
    if (settle === undefined) throw new TypeError('the Promise constructor did not call its executor')
    return { promise, ...settle }
  }
}
