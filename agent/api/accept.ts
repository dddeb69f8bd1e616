import type { ResultFormat } from './operations.ts'
import { ApiProblem } from './problem.ts'

export const MEDIA_TYPES: Readonly<Record<ResultFormat, string>> = {
  json: 'application/json',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet'
}
const FORMATS: readonly ResultFormat[] = ['json', 'csv', 'parquet']

function qualityOf(mediaType: string, accept: string): number {
  const [kind = ''] = mediaType.split('/')
  let best = { specific: -1, quality: 0 }
  for (const range of accept.split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const specific = [`*/*`, `${kind}/*`, mediaType].indexOf(name)
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    const quality = q === undefined ? 1 : Number(q)
    if (specific > best.specific && Number.isFinite(quality)) best = { specific, quality }
  }
  return best.quality
}

/** The format a client likes best (RFC 9110 §12.5.1), JSON when it does not say. @throws {ApiProblem} 406 */
export function formatFor(accept: string | undefined): ResultFormat {
  if (accept === undefined || accept.trim() === '') return 'json'
  const liked = FORMATS.map((format) => ({ format, quality: qualityOf(MEDIA_TYPES[format], accept) }))
    .filter(({ quality }) => quality > 0)
    .sort((one, other) => other.quality - one.quality)
  const [best] = liked
  if (best !== undefined) return best.format
  throw new ApiProblem(
    406,
    'not-acceptable',
    `expected Accept to name one of ${Object.values(MEDIA_TYPES).join(', ')}`
  )
}
