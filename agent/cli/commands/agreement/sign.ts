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
import { agreementView, healthView, preparedAgreement } from '../../../api/index.ts'
import { agreementBody, type Client, NotAnAgent } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openKey } from '../../passphrase.ts'
import { ownValue, type ReadAgreement, readAgreement } from '../../read-agreement.ts'
import { plain } from '../../render/index.ts'
import { renderAgreement } from './render.ts'
import { confirm, isThere, keyFile } from './steward-key.ts'

const signOptions = z.object({
  key: z.string().optional(),
  byAgent: z.boolean().default(false),
  yes: z.boolean().default(false)
})

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
  const payload = await opened(prepared, client.url)
  assertSameTerms(payload, read, client.url)
  return await signPayload(context, payload, { ...options, as: payload.provider })
}

/** What an agent prepared, as what it is called. @throws {NotAnAgent} */
export async function opened(
  prepared: { id: string; payload: string },
  url: string
): Promise<Payload<'agreement'>> {
  const bytes = new Uint8Array(Buffer.from(prepared.payload, 'base64'))
  if ((await idOf(bytes)) !== prepared.id)
    throw new NotAnAgent(url, 'bytes that are not what they are called')
  return decodePlain(bytes, agreementSchema)
}

/** Tells in words what is signed, and signs it when a person agrees. */
export async function signPayload(
  context: Context,
  payload: Payload<'agreement'>,
  options: { file: string; yes: boolean; as: string }
): Promise<string> {
  context.say(
    describeAgreement(payload)
      .map((line) => `- ${plain(line)}`)
      .join('\n')
  )
  await confirm(context, `Sign this as ${plain(options.as)}?`, options.yes)
  const key = await openKey(options.file, context.terminal)
  const signed = await signDocument('agreement', payload, key)
  return Buffer.from(encodeSigned(signed)).toString('base64')
}

/** A proposal that waits, which others may have written: it is told in words first. */
async function signProposal(
  context: Context,
  client: Client,
  name: string,
  options: { file: string; yes: boolean }
): Promise<string> {
  if (!options.yes && !context.terminal.interactive)
    throw new UsageError(
      `nobody is there to be asked whether ${name} is as it should be; read \`dynamos agreement show ${name}\`, then sign with --yes`
    )
  const path = `/api/v1/agreements/${encodeURIComponent(name)}/to-sign`
  const payload = await opened(await client.get(path, preparedAgreement), client.url)
  const { organisation } = await client.get('/health', healthView)
  return await signPayload(context, payload, { ...options, as: organisation })
}

async function bodyOfFile(
  context: Context,
  client: Client,
  name: string,
  { file, yes }: { file: string | undefined; yes: boolean }
) {
  const read = await readAgreement(context, name)
  return file === undefined
    ? agreementBody(read)
    : { signed: await signHere(context, client, read, { file, yes }) }
}

export async function sign(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string()]))
  const { key, byAgent, yes } = parseOptions(input.options, signOptions)
  const client = await context.client()
  const file = byAgent ? undefined : await keyFile(context, key)
  const isFile = name === '-' || (await isThere(resolve(context.terminal.cwd, name)))
  const body = isFile
    ? await bodyOfFile(context, client, name, { file, yes })
    : file === undefined
      ? { name }
      : { signed: await signProposal(context, client, name, { file, yes }) }
  const view = await client.post('/api/v1/agreements', { json: body }, agreementView)
  context.answer(view, () => renderAgreement(view, context.style))
  return undefined
}
