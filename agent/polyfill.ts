/**
 * Node 20 lacks ES2024 `Promise.withResolvers`, which libp2p 3 calls almost everywhere; without it the far side of a
 * handshake dies and the dialler sees only ECONNRESET. Every entry point imports this module first.
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

export {}
