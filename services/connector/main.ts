/** The connector: takes one order from standard input, answers on standard output, ends. Bundled to `dist/connector.js`. */
import { text } from 'node:stream/consumers'
import type { ConnectorAnswer, ConnectorOrder } from './order.ts'
import { ConnectorFailed, readTables } from './read.ts'

async function answer(): Promise<ConnectorAnswer> {
  try {
    // written by the launcher, which checked it
    const order: ConnectorOrder = JSON.parse(await text(process.stdin))
    return await readTables(order)
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): ConnectorAnswer {
  const message = String(error instanceof Error ? error.message : error).slice(0, 8192)
  if (error instanceof ConnectorFailed) return { kind: 'failed', message, ...error.failure }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === '57014')
    return { kind: 'failed', code: 'job-timeout', message, hint: 'the database took longer than it may' }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return { kind: 'failed', code: 'disk-limit', message, hint: 'the job needed more disk than there is' }
  // whatever the server says may name more than others may know
  return {
    kind: 'failed',
    code: 'dataset-missing',
    message,
    hint: /^28/.test(code)
      ? 'the database does not let the agent in'
      : 'the database cannot be read at the moment'
  }
}

process.stdout.write(`${JSON.stringify(await answer())}\n`, () => process.exit(0))
