import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { equals } from 'uint8arrays'
import { z } from 'zod'
import { type Agreed, describeAgreement, parseAgreement } from '../../../../policy/index.ts'
import {
  agreement as agreementSchema,
  decodePlain,
  encodePlain,
  encodeSigned,
  idOf,
  type Payload,
  signDocument
} from '../../../../protocol/documents/index.ts'
import { agreementView, preparedAgreement } from '../../../api/index.ts'
import { agreementBody, type Client, NotAnAgent } from '../../../client/index.ts'
import { loadAgentConfig } from '../../../config/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openKey } from '../../passphrase.ts'
import { ownValue, type ReadAgreement, readAgreement } from '../../read-agreement.ts'
import { plain } from '../../render/index.ts'
import { renderAgreement } from './render.ts'

const signOptions = z.object({
  key: z.string().optional(),
  byAgent: z.boolean().default(false),
  yes: z.boolean().default(false)
})

/** The key named, else that of the configuration at hand; none: the agent itself has to sign. */
async function keyFile(context: Context, key: string | undefined): Promise<string | undefined> {
  const { cwd } = context.terminal
  if (key !== undefined) return resolve(cwd, key)
  const file = resolve(cwd, context.connection.config ?? 'agent.yaml')
  const there = (path: string) =>
    access(path).then(
      () => true,
      () => false
    )
  if (context.connection.config === undefined && !(await there(file))) return undefined
  const { identity } = await loadAgentConfig(file)
  return (await there(identity.steward)) ? identity.steward : undefined
}

/**
 * The agent is believed in one thing only: which organisation speaks for a user's address.
 *
 * @throws {NotAnAgent} when it prepared other terms than the file has
 */
function assertSameTerms(payload: Payload<'agreement'>, { text, files }: ReadAgreement, url: string): void {
  const draft = parseAgreement(
    text,
    'agreement',
    (address) =>
      payload.terms.consumers
        .flatMap((consumer) => ('user' in consumer ? [consumer.user] : []))
        .find(({ name }) => name.toLowerCase() === address.toLowerCase()),
    (name) => ownValue(files, name)
  )
  const said = ({ name, provider, dataset, terms }: Agreed) => encodePlain({ name, provider, dataset, terms })
  if (!equals(said(draft), said(payload))) throw new NotAnAgent(url, 'other terms than those of the file')
}

/**
 * The agent made the bytes that are to be signed. They are opened here and told in words before the steward's key touches
 * them, so that an agent cannot have something else signed than what was asked for.
 */
async function signHere(
  context: Context,
  client: Client,
  read: ReadAgreement,
  options: { file: string; yes: boolean }
): Promise<string> {
  const prepared = await client.post(
    '/api/v1/agreements/prepare',
    { json: agreementBody(read) },
    preparedAgreement
  )
  const bytes = new Uint8Array(Buffer.from(prepared.payload, 'base64'))
  if ((await idOf(bytes)) !== prepared.id)
    throw new NotAnAgent(client.url, 'bytes that are not what they are called')
  const payload = decodePlain(bytes, agreementSchema)
  assertSameTerms(payload, read, client.url)
  context.say(
    describeAgreement(payload)
      .map((line) => `- ${plain(line)}`)
      .join('\n')
  )
  if (!options.yes && context.terminal.interactive) {
    const answer = await context.terminal.ask(`Sign this as ${plain(payload.provider)}? Type yes: `)
    if (answer.trim().toLowerCase() !== 'yes') throw new UsageError('not signed')
  }
  const key = await openKey(options.file, context.terminal)
  const signed = await signDocument('agreement', payload, key)
  return Buffer.from(encodeSigned(signed)).toString('base64')
}

export async function sign(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string()]))
  const { key, byAgent, yes } = parseOptions(input.options, signOptions)
  const read = await readAgreement(context, name)
  const client = await context.client()
  const file = byAgent ? undefined : await keyFile(context, key)
  const body =
    file === undefined
      ? agreementBody(read)
      : { signed: await signHere(context, client, read, { file, yes }) }
  const view = await client.post('/api/v1/agreements', { json: body }, agreementView)
  context.answer(view, () => renderAgreement(view, context.style))
  return undefined
}
