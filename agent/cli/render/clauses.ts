/** What each clause of an agreement is about, in words; the rules themselves are in the agreement's own text. */
const WORDS: Readonly<Record<string, string>> = {
  consumers: 'who may ask',
  purposes: 'what the data may be used for',
  archetypes: 'who may play which role in an exchange',
  computeProviders: 'who may hold the data besides the provider',
  recipients: 'who may receive results',
  dataset: 'which dataset it is about',
  columns: 'which columns may be read',
  tables: 'which tables, columns and rows may be read',
  services: 'which services must or must not take part',
  algorithms: 'which algorithms may run on the data',
  output: 'what may leave: size and groups of a result',
  anonymize: 'how persons are hidden',
  limits: 'how often may be asked',
  approval: 'who must say yes to a request',
  privacy: 'how much noise and how large a budget',
  cache: 'what may be kept',
  valid: 'from when until when it holds',
  sandbox: 'whether jobs must run in a sandbox',
  onward: 'whether a result may be shared further',
  releaseAsk: 'whether each result waits for the provider to release it',
  revocation: 'what happens when it is withdrawn',
  cedar: 'further rules of the provider'
}

/** What a compute provider and a recipient decide by; these are not clauses of an agreement. */
const PLACES: Readonly<Record<string, string>> = {
  'hosting#for': 'whom it computes for',
  'hosting#algorithms': 'which algorithms it runs for others',
  'hosting#infrastructure': 'that it is the one that computes',
  'delivery#recipients': 'that it is named as recipient',
  'delivery#asked': 'whether it takes what it did not ask for'
}

/** `wage-gap-2026#purposes` in words, or nothing for a clause this program does not know. */
export function clauseInWords(clause: string): string | undefined {
  if (Object.hasOwn(PLACES, clause)) return PLACES[clause]
  const name = clause.slice(clause.lastIndexOf('#') + 1).split(/[.[]/)[0] ?? ''
  return Object.hasOwn(WORDS, name) ? WORDS[name] : undefined
}
