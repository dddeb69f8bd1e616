import { z } from 'zod'
import { auditListView, auditProofView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain, table } from '../../render/index.ts'

const count = z.string().regex(/^\d{1,15}$/, 'expected a whole number')
const options = z.object({
  request: z.string().optional(),
  kind: z.string().optional(),
  limit: count.optional(),
  before: count.optional(),
  proofs: z.boolean().optional()
})
const proofsView = z.object({ proofs: z.array(auditProofView) })

export async function list(context: Context, input: Input): Promise<undefined> {
  const { proofs, ...wanted } = parseOptions(input.options, options)
  const client = await context.client()
  if (proofs === true) {
    const found = await client.get('/api/v1/audit/proofs', proofsView)
    context.answer(found, () =>
      found.proofs.length === 0
        ? 'no agent is known to have told two things of one place in its log'
        : found.proofs
            .map(({ peer, organisation, sequence, statements }) =>
              [
                `${plain(organisation ?? peer)} (${peer}) signed ${statements.length} heads for entry ${sequence} of its log:`,
                ...statements.map(({ head, type, heard }) => `  ${head}  in ${type}, heard ${heard}`)
              ].join('\n')
            )
            .join('\n')
    )
    return undefined
  }
  const query = new URLSearchParams(
    Object.entries(wanted).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))
  )
  const found = await client.get(`/api/v1/audit?${query}`, auditListView)
  context.answer(found, () =>
    table(
      [
        { title: 'ENTRY', align: 'right' },
        { title: 'TIME' },
        { title: 'KIND' },
        { title: 'WHAT' },
        { title: 'REQUEST' }
      ],
      found.entries.map(({ sequence, time, kind, fields, request }) => [
        String(sequence),
        time,
        kind,
        Object.entries(fields)
          .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`)
          .join(' '),
        request ?? ''
      ]),
      { ...context.width, style: context.style }
    )
  )
  return undefined
}
