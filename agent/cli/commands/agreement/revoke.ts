import { z } from 'zod'
import { formatDuration } from '../../../../policy/index.ts'
import {
  decodePlain,
  encodeSigned,
  idOf,
  revocation as revocationSchema,
  signDocument
} from '../../../../protocol/documents/index.ts'
import { agreementView, preparedRevocation } from '../../../api/index.ts'
import { type Client, NotAnAgent } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openKey } from '../../passphrase.ts'
import { plain } from '../../render/index.ts'
import { renderAgreement } from './render.ts'
import { confirm, keyFile } from './steward-key.ts'

const options = z.object({
  reason: z.string(),
  key: z.string().optional(),
  byAgent: z.boolean().default(false),
  yes: z.boolean().default(false)
})

/** The agent prepared the bytes; they are opened and told before the steward's key touches them. */
async function signHere(
  context: Context,
  client: Client,
  init: { name: string; reason: string; file: string; yes: boolean }
): Promise<string> {
  const { name, reason, file, yes } = init
  const prepared = await client.post(
    `/api/v1/agreements/${encodeURIComponent(name)}/prepare-revocation`,
    { json: { reason } },
    preparedRevocation
  )
  const bytes = new Uint8Array(Buffer.from(prepared.payload, 'base64'))
  if ((await idOf(bytes)) !== prepared.id)
    throw new NotAnAgent(client.url, 'bytes that are not what they are called')
  const payload = decodePlain(bytes, revocationSchema)
  const { agreement } = await client
    .get(`/api/v1/agreements/${encodeURIComponent(name)}`, agreementView)
    .then(({ id }) => ({ agreement: id }))
  if (payload.agreement !== agreement || payload.reason !== reason)
    throw new NotAnAgent(client.url, 'the revocation of something else than was asked for')
  const when = payload.notice === 0 ? 'at once' : `in ${formatDuration(payload.notice)}`
  const runs = payload.effect === 'finish' ? 'what runs may finish' : 'what runs is stopped'
  context.say(`${plain(name)} ends ${when}, and ${runs}.`)
  await confirm(context, `Revoke it as ${plain(payload.organisation)}?`, yes)
  const key = await openKey(file, context.terminal)
  return Buffer.from(encodeSigned(await signDocument('revocation', payload, key))).toString('base64')
}

export async function revoke(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const { reason, key, byAgent, yes } = parseOptions(input.options, options)
  const client = await context.client()
  const file = byAgent ? undefined : await keyFile(context, key)
  const json =
    file === undefined ? { reason } : { signed: await signHere(context, client, { name, reason, file, yes }) }
  const path = `/api/v1/agreements/${encodeURIComponent(name)}/revoke`
  const view = await client.post(path, { json }, agreementView)
  context.answer(view, () => renderAgreement(view, context.style))
  return undefined
}
