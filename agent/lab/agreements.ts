import { dirname } from 'node:path'
import { z } from 'zod'
import { filesNamedBy, MAX_HIERARCHY_LENGTH } from '../../policy/index.ts'
import { toError } from '../../protocol/errors/index.ts'
import { agreementView } from '../api/index.ts'
import type { Client } from '../client/index.ts'
import {
  ConfigInvalid,
  readAttached,
  readSource,
  readUserFile,
  type TopologyAgreement
} from '../config/index.ts'
import { LabFailed } from './errors.ts'

export interface ReadAgreement {
  /** For messages. */
  place: string
  text: string
  /** Hierarchy files that it names. */
  files: Record<string, string>
  provider: string
}

const withProvider = z.looseObject({ provider: z.string() })

/** The text of an agreement, and whose it is; the provider's own agent checks the rest. @throws {ConfigInvalid} */
export async function readAgreement(agreement: TopologyAgreement, topology: string): Promise<ReadAgreement> {
  const { text, place } =
    'file' in agreement
      ? { text: (await readUserFile(agreement.file)).text, place: agreement.file }
      : {
          text: JSON.stringify(agreement.inline),
          place: agreement.line === undefined ? topology : `${topology}:${agreement.line}`
        }
  const parsed = withProvider.safeParse(readSource(text, place).value)
  const folder = dirname('file' in agreement ? agreement.file : topology)
  const files = await readAttached(filesNamedBy(text), folder, MAX_HIERARCHY_LENGTH)
  if (parsed.success) return { text, files, place, provider: parsed.data.provider }
  throw new ConfigInvalid(place, [
    { path: 'provider', message: 'expected the organisation whose data it is about' }
  ])
}

/** As the agent takes it; without files it is what it was before there were any. */
function bodyOf({ text, files }: ReadAgreement): { text: string; files?: Record<string, string> } {
  return Object.keys(files).length === 0 ? { text } : { text, files }
}

/** What may come of a signed agreement when its own dates or clauses say so. */
const DONE: readonly string[] = ['in-force', 'not-yet-valid', 'expired', 'not-enforceable']

/** Has the provider's agent sign, and every other party with it. @throws {LabFailed} naming the agreement */
export async function signAtProvider(
  client: Client,
  agreement: ReadAgreement,
  options: { signal: AbortSignal }
): Promise<void> {
  const failed = (reason: string, cause?: unknown) =>
    new LabFailed(`${agreement.place}: the agreement did not come into force: ${reason}`, { cause })
  const view = await client
    .post('/api/v1/agreements', { json: bodyOf(agreement) }, agreementView, options)
    .catch((cause: unknown) => {
      throw failed(toError(cause).message, cause)
    })
  if (DONE.includes(view.state)) return
  const missing = view.parties.filter((party) => !view.signedBy.includes(party))
  throw failed(`it is ${view.state}, and ${missing.join(', ') || 'nobody'} has still to sign`)
}
