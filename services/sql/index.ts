/** How names and texts become SQL. Nothing else in the project may paste a name or a value into a statement. */
export { type Named, qualifiedName, qualifierOf } from './qualified.ts'
export { foldName, quoteList, quoteName, quoteText, sameName } from './quote.ts'
export { isDecimal, isDouble, isInteger, isTemporal, transportType } from './types.ts'
