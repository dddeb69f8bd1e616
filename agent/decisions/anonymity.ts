import { requiredServices } from '../../policy/index.ts'
import type { Payload, Terms } from '../../protocol/documents/index.ts'
import { anonymizeNotes, givesPseudonyms } from '../datasets/index.ts'
import type { DecisionsComponents } from './components.ts'
import { pseudonymsOpenTo } from './facts.ts'

const MAX_NOTE = 1024

type Components = Pick<DecisionsComponents, 'agreements' | 'datasets' | 'members' | 'self'>

/** By order of the agreement, or because the asker wants it. */
export function isAnonymised(request: Payload<'request'>, terms: Terms): boolean {
  return request.options.anonymize || requiredServices(terms).includes('anonymize')
}

/**
 * Who would read pseudonyms of this provider and hold data, hence a share of their key, too.
 *
 * @param hosts organisations that would compute
 */
export function openToOf(
  { members, self }: Pick<Components, 'self'> & { members: Pick<Components['members'], 'organisationOf'> },
  request: Payload<'request'>,
  hosts: readonly string[]
): string[] {
  const holders = request.providers.flatMap((peer) =>
    peer === self.peer ? self.organisation : (members.organisationOf(peer) ?? [])
  )
  return pseudonymsOpenTo(holders, [request.organisation, ...request.recipients, ...hosts], self.organisation)
}

/**
 * What becomes of which column, for the asker, who is a party to each of these agreements.
 *
 * @param granting ids of the agreements under which some row was permitted
 */
export function anonymityNotes(
  components: Components,
  request: Payload<'request'>,
  granting: readonly string[]
): string[] {
  const { agreements, datasets, members, self } = components
  const hosts = [...request.rows.map(({ infrastructure }) => infrastructure), request.verify].flatMap(
    (one) => one ?? []
  )
  const openTo = openToOf(
    components,
    request,
    hosts.flatMap((peer) => members.organisationOf(peer) ?? [])
  )
  const notes = granting.flatMap((id) => {
    const agreement = agreements.get(id)?.payload
    const terms = agreement?.terms
    const dataset = datasets.get(agreement?.dataset ?? '')
    if (terms === undefined || dataset === undefined || !isAnonymised(request, terms)) return []
    const changes = anonymizeNotes(terms, dataset)
    if (!givesPseudonyms(terms, dataset)) return changes
    return [
      ...changes,
      ...openTo.map(
        (reader) =>
          `pseudonyms-open-to: ${reader} holds data in this exchange, so it has a share of their key and could try values`
      )
    ]
  })
  return [...new Set(notes)].map((note) => shortened(`${self.organisation}: ${note}`))
}

/** An agreement may name more columns than a note has room for. */
function shortened(note: string): string {
  return note.length <= MAX_NOTE ? note : `${note.slice(0, MAX_NOTE - 1)}…`
}
