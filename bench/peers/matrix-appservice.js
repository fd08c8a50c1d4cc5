// matrix-appservice as in its README; appends a line for each event to a file for its room.
const fs = require("fs");
const { AppService } = require("matrix-appservice");

const service = new AppService({ homeserverToken: "hs_token", httpMaxSizeBytes: 128 * 1024 * 1024 });
service.on("event", (event) => {
  fs.appendFileSync(`${event.room_id}.log`, `${event.sender} ${event.type} ${JSON.stringify(event.content)}\n`);
});
service.onAliasQuery = async function (alias) {
  await fetch(`${process.env.HOMESERVER}/_matrix/client/v3/createRoom`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: "Bearer as_token" },
    body: JSON.stringify({ room_alias_name: alias.slice(1).split(":")[0] }),
  });
};
service.listen(Number(process.argv[2]), "127.0.0.1");
