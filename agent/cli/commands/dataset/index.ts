import type { Register } from '../../options.ts'

export const datasetCommands: Register = (program, run) => {
  program
    .command('dataset')
    .description('data of this organisation')
    .command('add')
    .argument(
      '[file...]',
      'CSV, Parquet (also a folder or a quoted pattern), JSON or SQLite; each is a table named like its file'
    )
    .requiredOption('--id <id>', 'what others call the dataset')
    .option(
      '--from-request <request>',
      'instead of files: what this request brought, under the terms that came with it'
    )
    .option('--from <name>', 'of several results: the one of this organisation')
    .option('--title <title>', 'in words')
    .option('--contact <contact>', 'whom to ask about it')
    .option('--table <name>', 'for one file: the name of its table; in SQLite, the table or view to read')
    .option('--delimiter <character>', 'for CSV: what separates its cells (default: found out)')
    .option('--visibility <who>', 'members, or parties: only those with an agreement', 'members')
    .option('--yes', 'ask nothing: every column that looks like a person’s is marked sensitive')
    .option('--force', 'write anew what describes it')
    .description(
      'look at data files, describe them in YAML beside agent.yaml, and list that there; another file of the same id is one more table'
    )
    .action(run(async (context, input) => await (await import('./add.ts')).add(context, input)))
}
