using System.Text.Json.Nodes;

namespace LoggingService.Homeserver;

/// <summary>The calls of the client API that concern one room. They throw as those of <see cref="HomeserverClient"/> do.</summary>
internal sealed class HomeserverRooms(HomeserverClient homeserver)
{
    /// <summary>
    /// Creates a public room, without an alias; returns the room id. The moderators get power level 50. After a
    /// cancellation or timeout the room may exist.
    /// </summary>
    public async Task<string> CreateRoomAsync(
        NewRoom room, string creator, IReadOnlyList<string> moderators, CancellationToken cancellation)
    {
        try
        {
            return await CreateRoomAsync(room, creator, moderators, listCreator: true, cancellation);
        }
        catch (HomeserverException e) when (e.Status == 400 && moderators.Count > 0)
        {
            // From room version 12 on, the users of the power levels must not include the creator; before, they must.
            return await CreateRoomAsync(room, creator, moderators, listCreator: false, cancellation);
        }
    }

    public Task PutCanonicalAliasAsync(string roomId, RoomAlias alias, CancellationToken cancellation) => homeserver.CallAsync(
        HttpMethod.Put, $"v3/rooms/{Escape(roomId)}/state/m.room.canonical_alias", new() { ["alias"] = alias.ToString() }, cancellation);

    /// <summary>The content of a state event with an empty state key; for members. 404 <c>M_NOT_FOUND</c> if there is none.</summary>
    public Task<RawJson> GetStateAsync(string roomId, string type, CancellationToken cancellation) =>
        homeserver.CallAsync(HttpMethod.Get, $"v3/rooms/{Escape(roomId)}/state/{Escape(type)}", null, cancellation);

    /// <summary>The joined members with their names, for members.</summary>
    public async Task<IReadOnlyList<(string UserId, string? Name)>> GetJoinedMembersAsync(string roomId, CancellationToken cancellation)
    {
        var response = await homeserver.CallAsync(HttpMethod.Get, $"v3/rooms/{Escape(roomId)}/joined_members", null, cancellation);
        return [.. response["joined"u8].Members().Select(member => (member.Key.ToString(), member.Value["display_name"u8].AsString()))];
    }

    /// <summary>The membership of a user who is or was a member, and who set it; 403 for others.</summary>
    public async Task<(string? Membership, string? Sender)> GetMembershipAsync(
        string roomId, string userId, CancellationToken cancellation)
    {
        // Without support for "format" the response is the content.
        var path = $"v3/rooms/{Escape(roomId)}/state/m.room.member/{Escape(userId)}?format=event";
        var response = await homeserver.CallAsync(HttpMethod.Get, path, null, cancellation);
        var membership = response["content"u8]["membership"u8].AsString() ?? response["membership"u8].AsString();
        return (membership, response["sender"u8].AsString());
    }

    /// <summary>The user who created a room, for members; <c>null</c> if the homeserver does not tell.</summary>
    public async Task<string?> GetCreatorAsync(string roomId, CancellationToken cancellation)
    {
        // Without support for "format" the response is the content, which names the creator up to room version 10.
        var path = $"v3/rooms/{Escape(roomId)}/state/m.room.create?format=event";
        var response = await homeserver.CallAsync(HttpMethod.Get, path, null, cancellation);
        return response["sender"u8].AsString() ?? response["creator"u8].AsString();
    }

    /// <summary>Leaves a room, or declines an invitation.</summary>
    public Task LeaveAsync(string roomId, CancellationToken cancellation, string? reason = null)
    {
        var body = new JsonObject();
        if (reason is not null)
        {
            body["reason"] = reason;
        }

        return homeserver.CallAsync(HttpMethod.Post, $"v3/rooms/{Escape(roomId)}/leave", body, cancellation);
    }

    /// <summary>Joins a room, also by accepting an invitation; 403 if it is not public.</summary>
    /// <param name="servers">Servers that are in the room, for a room that the homeserver is not in.</param>
    public Task JoinAsync(string roomId, IEnumerable<string> servers, CancellationToken cancellation)
    {
        // Homeservers before version 1.12 of the API read server_name.
        var query = string.Join('&', servers.Select(Escape).Select(server => $"via={server}&server_name={server}"));
        return homeserver.CallAsync(HttpMethod.Post, $"v3/join/{Escape(roomId)}{(query.Length > 0 ? "?" : "")}{query}", [], cancellation);
    }

    /// <summary>Sends an <c>m.notice</c> to a room that our user is a member of; 403 if it may not.</summary>
    /// <param name="transactionId">Derived from what caused the notice: a retry with the same id sends no second one.</param>
    public Task SendNoticeAsync(string roomId, string transactionId, string text, CancellationToken cancellation) => homeserver.CallAsync(
        HttpMethod.Put,
        $"v3/rooms/{Escape(roomId)}/send/m.room.message/{Escape(transactionId)}",
        new() { ["msgtype"] = "m.notice", ["body"] = text },
        cancellation);

    private async Task<string> CreateRoomAsync(
        NewRoom room, string creator, IReadOnlyList<string> moderators, bool listCreator, CancellationToken cancellation)
    {
        // "events" replaces the homeserver's defaults as a whole. Only we may enable encryption: encrypted rooms cannot be logged.
        var powerLevels = new JsonObject
        {
            ["events"] = new JsonObject
            {
                ["m.room.name"] = 50,
                ["m.room.avatar"] = 50,
                ["m.room.canonical_alias"] = 50,
                ["m.room.history_visibility"] = 50,
                ["m.room.power_levels"] = 100,
                ["m.room.server_acl"] = 100,
                ["m.room.tombstone"] = 100,
                ["m.room.encryption"] = 100,
            },
        };
        if (moderators.Count > 0)
        {
            var users = new JsonObject();
            if (listCreator)
            {
                users[creator] = 100;
            }

            foreach (var moderator in moderators)
            {
                users[moderator] = 50;
            }

            powerLevels["users"] = users;
        }

        var response = await homeserver.CallAsync(HttpMethod.Post, "v3/createRoom", new()
        {
            ["preset"] = "public_chat",
            ["name"] = room.Name,
            ["topic"] = room.Topic,
            ["initial_state"] = new JsonArray(new JsonObject
            {
                ["type"] = "m.room.history_visibility",
                ["state_key"] = "",
                ["content"] = new JsonObject { ["history_visibility"] = room.HistoryVisibility },
            }),
            ["power_level_content_override"] = powerLevels,
        }, cancellation);
        return response["room_id"u8].AsString()
            ?? throw new HomeserverException("POST createRoom", 200, null, "the response has no room_id");
    }

    private static string Escape(string id) => HomeserverClient.Escape(id);
}

/// <summary>What a room is created with.</summary>
internal readonly record struct NewRoom(string Name, string Topic, string HistoryVisibility);
