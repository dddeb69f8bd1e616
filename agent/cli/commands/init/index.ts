import { collect, type Register } from '../../options.ts'

export const initCommand: Register = (program, run) => {
  program
    .command('init')
    .description('make an identity and a commented agent.yaml')
    .requiredOption('--organisation <name>', 'the organisation this agent speaks for')
    .option('--dir <dir>', 'where to', '.')
    .option('--role <role>', 'dataProvider or computeProvider; may be given twice', collect)
    .option('--user <user>', 'a person it speaks for, such as analyst@example.org; repeatable', collect)
    .option('--listen <address>', 'where other agents reach it, such as /ip4/0.0.0.0/tcp/4001', collect)
    .option('--bootstrap <address>', 'an agent to start from, as /ip4/…/tcp/…/p2p/PEER', collect)
    .option('--api <host:port>', 'where its own people reach it')
    .option('--protect <keys>', 'none, steward or all: keys that a passphrase protects', 'none')
    .action(run(async (context, input) => await (await import('./handler.ts')).init(context, input)))
}
