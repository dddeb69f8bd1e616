/** What an algorithm is: a folder here with a manifest, and an `index.ts` that exports `algorithm`. */

export type { Algorithm, AlgorithmInput, Phase } from './algorithm.ts'
export { algorithmRefused, columnNamed, onlyParameters } from './algorithm.ts'
