import { equals } from 'uint8arrays'
import { z } from 'zod'
import { type AgreementDraft, describeOffer, parseAgreement } from '../../../../policy/index.ts'
import {
  decodePlain,
  encodePlain,
  encodeSigned,
  idOf,
  standingOffer as offerSchema,
  type Payload,
  signDocument
} from '../../../../protocol/documents/index.ts'
import {
  agreementView,
  healthView,
  preparedAgreement,
  preparedOffer,
  type StandingOfferView,
  standingOfferList,
  standingOfferView
} from '../../../api/index.ts'
import { agreementBody, type Client, NotAnAgent } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openKey } from '../../passphrase.ts'
import { ownValue, type ReadAgreement, readAgreement } from '../../read-agreement.ts'
import { plain, table } from '../../render/index.ts'
import { exactly, renderAgreement } from './render.ts'
import { opened, signPayload } from './sign.ts'
import { confirm, keyFile } from './steward-key.ts'

const signing = z.object({
  key: z.string().optional(),
  byAgent: z.boolean().default(false),
  yes: z.boolean().default(false)
})
const named = z.tuple([z.string().min(1)])
const OFFERS = '/api/v1/standing-offers'

function render(view: StandingOfferView, { style }: Context): string {
  const { takers, max, takenBy } = view
  return [
    `${style.bold(plain(view.name))}  ${view.state}  ${style.dim(plain(view.id))}`,
    ...(view.plain === undefined ? [] : [view.plain.map((line) => `- ${plain(line)}`).join('\n')]),
    ...(view.text === undefined ? [] : [`Exactly:\n\n${exactly(view.text)}`]),
    ...(takenBy === undefined
      ? []
      : [
          `Taken by ${takenBy.length} of ${max ?? 'any number'}${takenBy.length === 0 ? '' : `: ${takenBy.map(plain).join(', ')}`}. Open to ${takers === undefined || takers === '*' ? 'any member' : takers.map(plain).join(', ')}.`
        ])
  ].join('\n\n')
}

/** @throws {NotAnAgent} when it prepared another offer than the file has */
function assertSameOffer(payload: Payload<'standing-offer'>, read: ReadAgreement, url: string): void {
  const draft = parseAgreement(
    read.text,
    'agreement',
    () => undefined,
    (name) => ownValue(read.files, name)
  )
  const said = ({
    name,
    provider,
    dataset,
    terms
  }: Pick<AgreementDraft, 'name' | 'provider' | 'dataset' | 'terms'>) => ({
    name,
    provider,
    dataset,
    terms
  })
  const { standing } = draft
  const ends = [standing?.until, draft.terms.valid.until].filter((at) => at !== undefined)
  const same =
    standing !== undefined &&
    equals(
      encodePlain({ ...said(draft), takers: standing.takers, max: standing.max }),
      encodePlain({ ...said(payload), takers: payload.takers, max: payload.max })
    ) &&
    (ends.length === 0 || payload.expires === Math.min(...ends))
  if (!same) throw new NotAnAgent(url, 'another offer than that of the file')
}

async function signOffer(
  context: Context,
  client: Client,
  read: ReadAgreement,
  options: { file: string; yes: boolean }
): Promise<string> {
  const prepared = await client.post(`${OFFERS}/prepare`, { json: agreementBody(read) }, preparedOffer)
  const bytes = new Uint8Array(Buffer.from(prepared.payload, 'base64'))
  if ((await idOf(bytes)) !== prepared.id)
    throw new NotAnAgent(client.url, 'bytes that are not what they are called')
  const payload = decodePlain(bytes, offerSchema)
  assertSameOffer(payload, read, client.url)
  context.say(
    describeOffer(payload)
      .map((line) => `- ${plain(line)}`)
      .join('\n')
  )
  await confirm(context, `Offer this to members as ${plain(payload.provider)}?`, options.yes)
  const key = await openKey(options.file, context.terminal)
  return Buffer.from(encodeSigned(await signDocument('standing-offer', payload, key))).toString('base64')
}

export async function publish(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, named)
  const { key, byAgent, yes } = parseOptions(input.options, signing)
  const client = await context.client()
  const read = await readAgreement(context, name)
  const file = byAgent ? undefined : await keyFile(context, key)
  const json =
    file === undefined
      ? agreementBody(read)
      : { signed: await signOffer(context, client, read, { file, yes }) }
  const view = await client.post(OFFERS, { json }, standingOfferView)
  context.answer(view, () => render(view, context))
  return undefined
}

export async function withdraw(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, named)
  const client = await context.client()
  const view = await client.post(
    `${OFFERS}/${encodeURIComponent(name)}/withdraw`,
    { json: {} },
    standingOfferView
  )
  context.answer(view, () => render(view, context))
  context.say('Nobody takes it any more. What was taken goes on until it ends or is revoked.')
  return undefined
}

export async function take(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, named)
  const { from, key, byAgent, yes } = parseOptions(input.options, signing.extend({ from: z.string().min(1) }))
  if (!yes && !context.terminal.interactive)
    throw new UsageError(
      `nobody is there to be asked whether ${name} is as it should be; read \`dynamos agreement show ${name} --from "${from}"\`, then take it with --yes`
    )
  const client = await context.client()
  const file = byAgent ? undefined : await keyFile(context, key)
  const view =
    file === undefined
      ? await client.post(`${OFFERS}/take`, { json: { name, from } }, agreementView)
      : await client.post(
          '/api/v1/agreements',
          { json: { signed: await signTaking(context, client, { name, from, file, yes }) } },
          agreementView
        )
  context.answer(view, () => renderAgreement(view, context.style))
  return undefined
}

async function signTaking(
  context: Context,
  client: Client,
  { name, from, file, yes }: { name: string; from: string; file: string; yes: boolean }
): Promise<string> {
  const prepared = await client.post(`${OFFERS}/prepare-taking`, { json: { name, from } }, preparedAgreement)
  const payload = await opened(prepared, client.url)
  const { organisation } = await client.get('/health', healthView)
  const [consumer, ...others] = payload.terms.consumers
  const isOwn = consumer !== undefined && 'organisation' in consumer && consumer.organisation === organisation
  if (payload.provider !== from || payload.standing === undefined || !isOwn || others.length > 0)
    throw new NotAnAgent(client.url, `something else than what ${from} offers to ${organisation}`)
  return await signPayload(context, payload, { file, yes, as: organisation })
}

/** What `list --standing` shows. */
export async function listOffers(context: Context, from: string | undefined): Promise<undefined> {
  const client = await context.client()
  const query = from === undefined ? '' : `?from=${encodeURIComponent(from)}`
  const list = await client.get(`${OFFERS}${query}`, standingOfferList)
  context.answer(list, () =>
    list.offers.length === 0
      ? 'No standing offers. To make one: write `standing: {takers: "*"}` in place of consumers, then dynamos agreement publish FILE'
      : table(
          [
            { title: 'offer' },
            { title: 'state' },
            { title: 'provider' },
            { title: 'dataset' },
            { title: 'purposes' },
            { title: 'until' },
            { title: 'taken by' }
          ],
          list.offers.map(({ name, state, provider, dataset, purposes, until, takenBy }) => [
            name,
            state,
            provider,
            dataset,
            purposes === '*' ? 'any' : purposes.join(', '),
            until,
            takenBy?.join(', ') ?? ''
          ]),
          { style: context.style }
        )
  )
  for (const { organisation, reason } of list.unreached)
    context.say(`${plain(organisation)} was not asked: ${plain(reason)}`)
  return undefined
}

/** What `show NAME --from` shows. */
export async function showOffer(context: Context, name: string, from: string): Promise<undefined> {
  const client = await context.client()
  const path = `${OFFERS}/${encodeURIComponent(name)}?from=${encodeURIComponent(from)}`
  const view = await client.get(path, standingOfferView)
  context.answer(view, () => render(view, context))
  if (view.takenBy === undefined)
    context.say(`To take it: dynamos agreement take ${plain(name)} --from "${plain(from)}"`)
  return undefined
}
