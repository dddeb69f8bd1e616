import type { Agreed } from './draft.ts'

/** Organisations that must sign: the provider, then the consumers' in order of name. */
export function agreementParties({ provider, terms }: Pick<Agreed, 'provider' | 'terms'>): string[] {
  const consumers = terms.consumers.map((consumer) =>
    'user' in consumer ? consumer.user.organisation : consumer.organisation
  )
  return [provider, ...[...new Set(consumers)].filter((name) => name !== provider).sort()]
}
