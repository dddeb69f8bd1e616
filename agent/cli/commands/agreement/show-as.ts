import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import {
  byDomain,
  eflintView,
  odrlView,
  parseAgreement,
  textView,
  type Viewed
} from '../../../../policy/index.ts'
import { terms } from '../../../../protocol/documents/index.ts'
import { agreementView } from '../../../api/index.ts'
import { NotAnAgent } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { ownValue, readAgreement } from '../../read-agreement.ts'
import { plain } from '../../render/index.ts'

const FORMS = ['odrl', 'eflint', 'text'] as const
const showOptions = z.object({ as: z.enum(FORMS, `expected one of ${FORMS.join(', ')}`) })

/** A name has no "/", and nobody calls an agreement like a file that is there. */
async function isFile(context: Context, name: string): Promise<boolean> {
  if (name === '-' || name.includes('/')) return true
  if (!/\.(ya?ml|json)$/i.test(name)) return false
  return await access(resolve(context.terminal.cwd, name)).then(
    () => true,
    () => false
  )
}

async function ofFile(context: Context, file: string): Promise<Viewed> {
  const { text, name, files } = await readAgreement(context, file)
  const addresses = new Set<string>()
  const draft = parseAgreement(
    text,
    name,
    (address) => {
      addresses.add(address)
      return byDomain(address)
    },
    (attached) => ownValue(files, attached)
  )
  if (addresses.size > 0)
    context.say(
      'which organisation speaks for an address is known to an agent only; here it is called by its mail domain'
    )
  return draft
}

async function ofAgent(context: Context, name: string): Promise<Viewed> {
  const client = await context.client()
  const view = await client.get(`/api/v1/agreements/${encodeURIComponent(name)}`, agreementView)
  const read = terms.safeParse(view.terms)
  if (!read.success) throw new NotAnAgent(client.url, 'terms that are none of an agreement')
  return {
    name: view.name,
    provider: view.provider,
    dataset: view.dataset,
    terms: read.data,
    ...(view.id === '' ? {} : { id: view.id }),
    signed: view.parties.length > 0 && view.parties.every((party) => view.signedBy.includes(party))
  }
}

/** What could write over a line of the terminal, as JSON lets it be written. */
function escaped(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

/** An agreement in another form: of a file without an agent, or by name of the agent. */
export async function showAs(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const { as } = parseOptions(input.options, showOptions)
  const viewed = (await isFile(context, name)) ? await ofFile(context, name) : await ofAgent(context, name)
  if (as === 'odrl') {
    const policy = odrlView(viewed)
    context.answer(policy, () => escaped(JSON.stringify(policy, null, 2)))
  } else if (as === 'eflint') {
    const text = eflintView(viewed)
    context.answer({ form: as, text }, () => text.trimEnd())
  } else {
    const text = textView(viewed)
    context.answer({ form: as, text }, () => text.trimEnd().split('\n').map(plain).join('\n'))
  }
  return undefined
}
