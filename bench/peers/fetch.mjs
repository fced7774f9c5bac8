// Node's own fetch, several calls concurrently. NODE_EXTRA_CA_CERTS is the file of the CA certificate.
const { PANEL_URL, PANEL_KEY, FIRST, COUNT = "1", AT_ONCE = "1" } = process.env;
const count = Number(COUNT), atOnce = Number(AT_ONCE);

async function call(fields) {
  const body = new URLSearchParams({ key: PANEL_KEY, ...fields });
  return (await fetch(PANEL_URL, { method: "POST", body })).json();
}

async function sideBySide(jobs) {
  const left = jobs.values();
  const work = async () => { for (const job of left) await job(); };
  const began = performance.now();
  await Promise.all(Array.from({ length: atOnce }, work));
  console.log("seconds", (performance.now() - began) / 1000);
}

const tasks = {
  async catalogue() {
    console.log("services", (await call({ action: "services" })).length);
  },
  async statuses() {
    const ids = Array.from({ length: count }, (_, i) => Number(FIRST) + i), records = {}, jobs = [];
    for (let i = 0; i < count; i += 100) {
      const orders = ids.slice(i, i + 100).join(",");
      jobs.push(async () => Object.assign(records, await call({ action: "status", orders })));
    }
    await sideBySide(jobs);
    if (!ids.every((id) => "charge" in records[id])) process.exit(1);
  },
  async balance() {
    const one = async () => { if (!(await call({ action: "balance" })).balance) process.exit(1); };
    await one();
    await sideBySide(Array(count).fill(one));
  },
  async calls() {
    const took = [];
    for (let i = 0; i < 100; i++) {
      const began = performance.now();
      await call({ action: "balance" });
      took.push((performance.now() - began) / 1000);
    }
    console.log(`first ${took[0]}\nsecond ${took[1]}\nhundredth ${took[99]}`);
  },
};

await tasks[process.argv[2]]();
