import type { Register } from '../../options.ts'

export const networkCommands: Register = (program, run) => {
  program
    .command('peers')
    .description('agents of the marketplace, as found over the DHT')
    .action(run(async (context) => await (await import('./peers.ts')).peers(context)))
  program
    .command('capabilities')
    .argument('[peer]', 'peer id or organisation; omitted: this agent')
    .description('what an agent says of itself, signed')
    .action(run(async (context, input) => await (await import('./peers.ts')).capabilities(context, input)))
  const datasets = program
    .command('datasets')
    .option('--find <words>', 'only those whose descriptions have these words')
    .description('what the network offers')
    .action(run(async (context, input) => await (await import('./datasets.ts')).datasets(context, input)))
  datasets
    .command('show')
    .argument('<id>', 'the dataset')
    .description('providers, tables, columns, types, units, and how to ask')
    .action(run(async (context, input) => await (await import('./datasets.ts')).show(context, input)))
}
