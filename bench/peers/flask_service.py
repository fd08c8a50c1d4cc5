"""The program of the Matrix application service guide; appends a line for each event to a file for its room."""
import os

from flask import Flask, jsonify, request
import json
import urllib.request

app = Flask(__name__)
homeserver = os.environ["HOMESERVER"]


@app.route("/_matrix/app/v1/transactions/<transaction>", methods=["PUT"])
def on_receive_events(transaction):
    for event in request.get_json()["events"]:
        with open(f"{event['room_id']}.log", "a") as log:
            log.write(f"User: {event['sender']} Room: {event['room_id']}\n"
                      f"Event Type: {event['type']} Content: {event['content']}".replace("\n", " ") + "\n")
    return jsonify({})


@app.route("/_matrix/app/v1/rooms/<alias>")
def query_alias(alias):
    localpart = alias.split(":")[0][1:]
    call = urllib.request.Request(f"{homeserver}/_matrix/client/v3/createRoom", json.dumps({"room_alias_name": localpart}).encode(),
                                  {"Content-Type": "application/json", "Authorization": "Bearer as_token"})
    urllib.request.urlopen(call).read()
    return jsonify({})
