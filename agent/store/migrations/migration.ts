/** One step from a version of the schema to the next. A released one never changes. */
export interface Migration {
  /** 1 for the first, without gaps. */
  version: number
  sql: string
}
