import sqlite3 from 'sqlite3'

function parted(statement: string | readonly [string, ...(number | null)[]]): [string, (number | null)[]] {
  if (typeof statement === 'string') return [statement, []]
  const [sql, ...values] = statement
  return [sql, values]
}

/** Runs statements in a SQLite file, as another program would; `meanwhile` before it is closed. */
export async function inSqlite(
  path: string,
  statements: readonly (string | readonly [string, ...(number | null)[]])[],
  meanwhile: () => Promise<void> = async () => undefined
): Promise<void> {
  const database = new sqlite3.Database(path)
  try {
    for (const statement of statements)
      await new Promise<void>((resolve, reject) =>
        database.run(...parted(statement), (error: Error | null) =>
          error === null ? resolve() : reject(error)
        )
      )
    await meanwhile()
  } finally {
    await new Promise<void>((resolve) => database.close(() => resolve()))
  }
}
