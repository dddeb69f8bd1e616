/** The rows themselves; partial states are rows too, and merging them puts them together. */
import { type Algorithm, onlyParameters } from '../algorithm.ts'

export const algorithm: Algorithm = ({ relation, parameters }) => {
  onlyParameters(parameters, [])
  return `SELECT * FROM ${relation}`
}
