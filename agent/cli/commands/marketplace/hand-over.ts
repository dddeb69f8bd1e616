import { encodeSigned, type Signed } from '../../../../protocol/documents/index.ts'
import { type TakenDocuments, takenDocuments } from '../../../api/index.ts'
import type { Context } from '../../context.ts'

const text = (document: Parameters<typeof encodeSigned>[0]): string =>
  Buffer.from(encodeSigned(document)).toString('base64')

/** Hands documents of the authority to the running agent. @throws {AgentUnreachable} */
export async function handOver(
  context: Context,
  documents: { status?: Signed<'status'>; membership?: Signed<'membership'> }
): Promise<TakenDocuments> {
  const client = await context.client()
  const json = Object.fromEntries(Object.entries(documents).map(([name, document]) => [name, text(document)]))
  return await client.post('/api/v1/marketplace', { json }, takenDocuments)
}
