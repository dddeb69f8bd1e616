import { codeOf, toError } from '../../protocol/errors/index.ts'

interface Guarded {
  log: { error(fields: object, message: string): void }
  /** Ends the agent in good order, then the process. */
  giveUp(): void
}

/** Where a stream that was closed in the middle may throw outside of any promise (js-libp2p issues 3415 and 3512). */
const STREAM_CODE = /node_modules[\\/](@libp2p|libp2p|@chainsafe[\\/]libp2p-[a-z]+|it-[a-z-]+)[\\/]/

/**
 * Whether an error that nobody caught is libp2p's over some stream: a remote's doing, which must not end the agent. In a
 * bundle the stack names no package, so the errors' own names count too.
 */
export function isStreamFault(error: Error): boolean {
  const streamNames = [
    'StreamResetError',
    'StreamStateError',
    'StreamClosedError',
    'StreamBufferError',
    'MuxerClosedError'
  ]
  return streamNames.includes(error.name) || STREAM_CODE.test(error.stack ?? '')
}

/** What nobody caught: a fault of one stream is logged and survived, anything else ends the process in good order. */
export function guardProcess({ log, giveUp }: Guarded, on: Pick<NodeJS.Process, 'on'> = process): void {
  const caught = (thrown: unknown): void => {
    const error = toError(thrown)
    const survived = isStreamFault(error)
    log.error({ err: error, code: codeOf(error), survived }, 'an error that nobody caught')
    if (!survived) giveUp()
  }
  on.on('uncaughtException', caught)
  on.on('unhandledRejection', caught)
}
