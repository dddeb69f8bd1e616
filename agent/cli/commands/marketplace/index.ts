import { collect, type Register } from '../../options.ts'

const DIR = 'folder of the marketplace: its key and its state'

export const marketplaceCommand: Register = (program, run) => {
  const marketplace = program
    .command('marketplace')
    .description('who belongs together; the authority works offline, with signed documents as files')
  marketplace
    .command('create')
    .argument('<name>', 'the name of the marketplace')
    .option('--dir <dir>', DIR, 'marketplace')
    .option('--contact <contact>', 'whom a stranger may ask', '')
    .option('--membership-days <days>', 'how long a membership holds', '90')
    .option('--status-days <days>', 'how old the list of expelled members may be', '7')
    .option('--protect', 'protect the key of the authority by a passphrase')
    .option('--authority <peer>', 'key of a further authority; repeatable', collect)
    .option('--threshold <number>', 'how many authorities have to sign what holds (default: 1)')
    .description('found a marketplace; its charter is for everybody, the rest is secret')
    .action(run(async (context, input) => await (await import('./create.ts')).create(context, input)))
  marketplace
    .command('admit')
    .argument('<request...>', "join requests, as files; or one agent's peer id with --organisation")
    .option('--dir <dir>', DIR, 'marketplace')
    .option(
      '--out <file>',
      'where to put the membership (default: ORGANISATION.membership.json in the folder)'
    )
    .option('--organisation <name>', 'for a peer id: the organisation it speaks for')
    .option('--role <role>', 'for a peer id: dataProvider or computeProvider; repeatable', collect)
    .option('--steward <peer>', 'for a peer id: key that signs agreements; repeatable', collect)
    .option('--speaks-for <who>', 'for a peer id: mail domain or user; repeatable', collect)
    .option('--replace', 'forget the keys that an earlier membership of the organisation lists')
    .description('sign that keys are an organisation')
    .action(run(async (context, input) => await (await import('./admit.ts')).admitMembers(context, input)))
  marketplace
    .command('expel')
    .argument('<peer|organisation...>', 'keys that are trusted no longer; an organisation has several')
    .option('--dir <dir>', DIR, 'marketplace')
    .option('--reason <text>', 'why, for people')
    .option('--since <instant>', 'from when they are expelled, such as 2026-01-31T12:00Z (default: now)')
    .option('--stolen-from <instant>', 'since when somebody else had them: what they signed later is void')
    .description('put keys on the status list')
    .action(run(async (context, input) => await (await import('./status.ts')).expelPeers(context, input)))
  marketplace
    .command('renew')
    .argument('[organisation...]', 'whose memberships (default: all)')
    .option('--dir <dir>', DIR, 'marketplace')
    .option('--status-only', 'only the status list')
    .option('--ending-within <days>', 'only memberships that end within so many days')
    .description('sign memberships and the status list for another while')
    .action(run(async (context, input) => await (await import('./status.ts')).renew(context, input)))
  marketplace
    .command('key')
    .option('--dir <dir>', DIR, 'marketplace')
    .option('--protect', 'protect it by a passphrase')
    .description('make the key of a further authority')
    .action(run(async (context, input) => await (await import('./create.ts')).authorityKey(context, input)))
  marketplace
    .command('sign')
    .argument('<file>', 'what another authority proposes')
    .option('--dir <dir>', DIR, 'marketplace')
    .option('--show', 'only show what it says')
    .description('sign what another authority proposes, where several have to')
    .action(run(async (context, input) => await (await import('./sign.ts')).sign(context, input)))
  marketplace
    .command('publish')
    .argument('<file>', 'the newest status list')
    .description('hand a status list to the running agent, which spreads it')
    .action(run(async (context, input) => await (await import('./publish.ts')).publish(context, input)))
  marketplace
    .command('join')
    .argument('<charter>', 'the charter, as a file')
    .option(
      '--speaks-for <who>',
      'mail domain or user (default: the users of agent.yaml); repeatable',
      collect
    )
    .option('--out <file>', 'where to put the request', 'join-request.json')
    .option(
      '--new-key <which>',
      'agent or steward: make a key that takes the place of the one before; repeatable',
      collect
    )
    .description('ask to become a member: a file for the authority')
    .action(run(async (context, input) => await (await import('./join.ts')).join(context, input)))
  marketplace
    .command('install')
    .argument('<membership>', 'the membership, or a newer status list, as a file')
    .description('take what the authority answered')
    .action(run(async (context, input) => await (await import('./install.ts')).install(context, input)))
  marketplace
    .command('members')
    .description('the members that the agent knows')
    .action(run(async (context) => await (await import('./members.ts')).members(context)))
}
