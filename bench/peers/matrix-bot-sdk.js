// The application service of matrix-bot-sdk as in its documentation; appends a line for each event to a file for its room.
const fs = require("fs");
const { Appservice, LogLevel, LogService } = require("@vector-im/matrix-bot-sdk");

LogService.setLevel(LogLevel.WARN);
const service = new Appservice({
  port: Number(process.argv[2]),
  bindAddress: "127.0.0.1",
  homeserverName: "example.org",
  homeserverUrl: process.env.HOMESERVER,
  registration: {
    id: "logging",
    url: `http://127.0.0.1:${process.argv[2]}`,
    as_token: "as_token",
    hs_token: "hs_token",
    sender_localpart: "logging",
    namespaces: { users: [{ exclusive: false, regex: "@logging_.*" }], rooms: [], aliases: [{ exclusive: false, regex: "#logged_.*" }] },
  },
});
service.on("room.event", (roomId, event) => {
  fs.appendFileSync(`${roomId}.log`, `${event.sender} ${event.type} ${JSON.stringify(event.content)}\n`);
});
service.on("query.room", (alias, createRoom) => createRoom({ preset: "public_chat" }));
service.begin();
