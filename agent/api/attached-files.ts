/** Text of the files that an agreement names, by the names it gives them. */
export type AttachedFiles = Readonly<Record<string, string>>
