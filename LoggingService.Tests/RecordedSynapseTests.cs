using System.Text;
using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The recorded requests of a real Synapse are logged byte for byte.</summary>
public class RecordedSynapseTests
{
    [Fact]
    public async Task Everyday_traffic_is_recorded_once_and_byte_for_byte()
    {
        // Dave's room has no alias: it is pushed because our user is invited and joins.
        const string daves = "!HizOkqnCehQDdnKNFK:localhost";
        var homeserver = new StubHomeserver().WithoutAliases().RefusingJoins().AliasesOf(daves);
        using var service = new ServiceUnderTest(homeserver: homeserver);
        var pushed = new Dictionary<string, List<string>>();
        foreach (var request in RecordedTraffic.Read("everyday").Where(request => request.Method == "PUT"))
        {
            Assert.True(RawJson.TryParse(Encoding.UTF8.GetBytes(request.Body), out var body, out _));
            foreach (var e in body["events"u8].Items())
            {
                var room = e["room_id"u8].AsString()!;
                if (!pushed.TryGetValue(room, out var events))
                {
                    events = [];
                    pushed[room] = events;
                }

                events.Add(Encoding.UTF8.GetString(e.Bytes.Span));
            }

            // Twice, as after a lost response.
            Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Put, request.Target, request.Body));
            Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Put, request.Target, request.Body));
        }

        Assert.Equal(185, pushed.Values.Sum(events => events.Count));
        Assert.True(pushed.Remove(daves));
        Assert.False(Directory.Exists(Path.Combine(service.Logs, daves)));
        foreach (var (room, events) in pushed)
        {
            var record = service.Record(room);
            Assert.Equal(
                events,
                record.Where(IsEvent).Select(line => line[..line.LastIndexOf(",\"received_ts\":", StringComparison.Ordinal)] + "}"));
            Assert.Equal(record.Count, service.Lines(room).Count);
        }

        Assert.All(service.WarningsAndErrors, IsOfANote);
    }

    // Rooms that aren't logged had no alias of the namespace: our user was invited or joined.
    [Theory]
    [InlineData("invites", 9, "!DrQDCAzaEbwXWkBsTr:localhost", "!iOFAqCNxPyaYoLIpbX:localhost")]
    [InlineData("alias_added_later", 20)]
    [InlineData("room_upgrade", 38)]
    [InlineData("encryption", 13)]
    [InlineData("service_down_and_homeserver_restart", 36)]
    [InlineData("legacy_authorization", 7)]
    [InlineData("create_room", 49)]
    public async Task Each_recording_is_acknowledged_and_logged(string recording, int events, params string[] notLogged)
    {
        var homeserver = new StubHomeserver().WithoutAliases().RefusingJoins()
            .On("POST /_matrix/client/v3/createRoom", """{"room_id":"!made:localhost"}""")
            .On("PUT /_matrix/client/v3/*", "{}");
        foreach (var room in notLogged)
        {
            homeserver.AliasesOf(room);
        }

        using var service = new ServiceUnderTest(homeserver: homeserver);
        var pushed = new Dictionary<string, HashSet<string>>();
        foreach (var request in RecordedTraffic.Read(recording))
        {
            var requestBody = request.Method == "GET" ? null : request.Body;
            var response = await service.SendAsync(new(request.Method), request.Target, requestBody);

            // Synapse also asks for an alias with a space, which it would refuse.
            Assert.Equal(request.Method == "GET" && request.Target.Contains("%20", StringComparison.Ordinal) ? 404 : 200, response.Status);
            if (request.Method == "PUT")
            {
                Assert.True(RawJson.TryParse(Encoding.UTF8.GetBytes(request.Body), out var body, out _));
                foreach (var e in body["events"u8].Items())
                {
                    var room = e["room_id"u8].AsString()!;
                    if (!pushed.TryGetValue(room, out var ids))
                    {
                        ids = [];
                        pushed[room] = ids;
                    }

                    ids.Add(e["event_id"u8].AsString()!);
                }
            }
        }

        foreach (var room in notLogged)
        {
            Assert.True(pushed.Remove(room));
            Assert.False(Directory.Exists(Path.Combine(service.Logs, room)));
        }

        foreach (var (room, ids) in pushed)
        {
            Assert.Equal(ids.Count, service.Record(room).Count(IsEvent));
            Assert.Equal(service.Record(room).Count, service.Lines(room).Count);
        }

        Assert.Equal(events, pushed.Values.Sum(ids => ids.Count));
        Assert.All(service.WarningsAndErrors, IsOfANote);
    }

    private static void IsOfANote(string warning) => Assert.Matches("^(Encryption was switched on in|The service was kicked) ", warning);

    private static bool IsEvent(string line) => !line.EndsWith(",\"note\":true}", StringComparison.Ordinal);
}
