using System.Text.Json;
using System.Text.Json.Nodes;
using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What notes of the service and events of others repeat of an erased user is erased, too.</summary>
public class EraseCopyTests : ErasureTestBase
{
    private const string Stripped = """
        [{"type":"m.room.topic","state_key":"","sender":"@alice:localhost","content":{"topic":"zanzibar topic"}},
         {"type":"m.room.name","state_key":"","sender":"@bob:localhost","content":{"name":"Bob's tea"}},
         {"type":"m.room.member","state_key":"@alice:localhost","sender":"@bob:localhost",
          "content":{"membership":"invite","displayname":"Zanzibar Alice"}}]
        """;

    private const string Because =
        """{"event_id":"$r","sender":"@alice:localhost","type":"m.room.redaction","content":{"reason":"zanzibar"}}""";

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task Names_and_topics_of_an_erased_user_go_from_notes(bool isRunning, bool hasPseudonym)
    {
        using var service = Start();
        await PushAsync(service, Event("$topic", Room, Alice, "m.room.topic", """{"topic":"zanzibar tea"}""", stateKey: ""));
        await AppendAsync(
            service,
            Note.Create(Note.FirstState, Room, Room, json =>
            {
                json.WriteString("name", "Tea");
                json.WriteString("topic", "zanzibar tea");
                json.WriteNumber("members", 3);
                json.WriteNumber("listed", 3);
            }),
            Members("0", (Alice, "Zanzibar Alice"), (Bob, "Bob")),
            Members("1", (Alice, "Zanzibar Alice")),
            Note.Create(Note.WishesChanged, Room, "$wish", json =>
            {
                json.WriteString("sender", Alice);
                json.WriteString("no_log_prefix", "!zanzibar");
            }),
            Note.Create(Note.ServiceRemoved, Room, "$kick", json => json.WriteString("by", Alice)));
        if (!isRunning)
            await service.DisposeAsync();

        var (exitCode, output) = await RunAsync(["erase", "--user", Alice, "--yes", .. hasPseudonym ? (string[])["--pseudonym"] : []]);
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Logs, Secret));
        var text = AllLines(Room, "log");
        var name = text[0].Split(' ')[1];
        Assert.Equal(hasPseudonym, name != Alice);
        Assert.Equal(
            [
                $"*** {name} changed the topic, erased",
                "*** when logging began the room had the name \"Tea\" and 3 members",
                $"*** members then: {Bob} \"Bob\"",
                "*** members then: erased",
                $"*** {name} set how the room is logged: not what begins with a prefix, erased",
                $"*** the service was kicked by {name}: the room is logged while it has a logged alias",
            ],
            text);
        Assert.Equal(
            1, JsonElement.Parse(AllLines(Room, "jsonl")[1]).GetProperty("content").GetProperty("listed").GetInt32());
        if (hasPseudonym)
            Assert.Empty(FilesWith(Logs, Alice));
        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task Of_the_wishes_of_a_room_only_those_in_effect_stay_without_the_id()
    {
        await LogAsync();
        await File.WriteAllTextAsync(
            Path.Combine(Logs, Other, "room.json"),
            """{"wishes":{"no_log_prefix":"!@alice:localhost","why":"zanzibar"},"wishes_ts":7}""", TestContext.Current.CancellationToken);
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--pseudonym", "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        var file = await File.ReadAllTextAsync(Path.Combine(Logs, Other, "room.json"), TestContext.Current.CancellationToken);
        Assert.Matches("""^\{"wishes":\{"no_log_prefix":"!@erased-[0-9a-f]{12}:erased.invalid"\},"wishes_ts":7\}$""", file);
    }

    [Theory]
    [InlineData("redacted_because", Because)]
    [InlineData("invite_room_state", Stripped)]
    [InlineData("knock_room_state", Stripped)]
    public async Task Events_of_the_user_that_others_carry_are_erased(string key, string value)
    {
        using var service = Start();
        await PushAsync(
            service,
            Event("$m", Room, Alice, "m.room.message", Text($"the {Secret} words")),
            Event(
                "$carrier", Room, Bob, "m.room.message", "{}", more: $",\"unsigned\":{{\"age\":7,\"{key}\":{value}}},\"{key}\":{value}"));
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Logs, Secret));
        var line = JsonNode.Parse(AllLines(Room, "jsonl")[1])!;
        Assert.Equal(7, (int)line["unsigned"]!["age"]!);
        foreach (var copy in (JsonNode[])[line[key]!, line["unsigned"]![key]!])
        {
            if (key == "redacted_because")
                Assert.Equal("{}", copy.ToJsonString());
            else
                Assert.Equal("Bob's tea", (string)copy[1]!["content"]!["name"]!);
        }

        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task State_and_profiles_of_the_user_go_from_the_events_of_others()
    {
        using var service = Start();
        await PushAsync(
            service,
            Event("$m", Room, Alice, "m.room.message", Text("hello")),
            Event(
                "$topic", Room, Bob, "m.room.topic", """{"topic":"another"}""", stateKey: "",
                more: $$""","unsigned":{"prev_content":{"topic":"zanzibar topic"},"prev_sender":"{{Alice}}","replaces_state":"$older"}"""),
            Event(
                "$invite", Room, Bob, "m.room.member",
                """{"membership":"invite","displayname":"Zanzibar","third_party_invite":{"display_name":"zanz…@zanzibar"}}""",
                stateKey: Alice),
            Event(
                "$root", Room, Bob, "m.room.message", Text("the root"),
                more: ",\"unsigned\":{\"m.relations\":{\"m.thread\":{\"latest_event\":"
                    + $"{{\"sender\":\"{Alice}\",\"content\":{{\"body\":\"zanzibar\"}}}}}}}}}}"));
        Assert.Equal(0, (await RunAsync("erase", "--user", Alice, "--yes")).ExitCode);
        Assert.Empty(FilesWith(Logs, Secret));
        Assert.DoesNotContain(AllLines(Room, "jsonl"), line => line.Contains("prev_sender", StringComparison.Ordinal));
        Assert.Equal(
            [$"<{Alice}, erased>", $"*** {Bob} set the topic to \"another\"", $"*** {Alice} was invited by {Bob}", $"<{Bob}> the root"],
            AllLines(Room, "log"));
        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task The_copies_of_an_erased_event_without_its_id_are_erased()
    {
        using var service = Start();
        await PushAsync(
            service,
            Event("$topic", Room, Alice, "m.room.topic", """{"topic":"zanzibar topic"}""", stateKey: ""),
            Event(
                "$invite", Room, Bob, "m.room.member", """{"membership":"invite"}""", stateKey: "@carol:localhost",
                more: $",\"unsigned\":{{\"invite_room_state\":{Stripped}}}"));
        Assert.Equal(0, (await RunAsync("erase", "--event", "$topic", "--yes")).ExitCode);
        Assert.Empty(FilesWith(Logs, "zanzibar topic"));
        Assert.NotEmpty(FilesWith(Logs, "Zanzibar Alice"));
    }

    [Theory]
    [InlineData(",\"erased\":true}")]
    [InlineData(",\"received_ts\":1,\"erased\":true}")]
    [InlineData(",\"received_ts\":1,\"erased\":\"$redaction\"}")]
    public async Task No_sender_makes_an_event_look_erased(string end)
    {
        using var service = Start();
        await PushAsync(
            service,
            Event("$topic", Room, Alice, "m.room.topic", """{"topic":"zanzibar topic"}""", stateKey: "")[..^1] + end,
            Event("$member", Room, Alice, "m.room.member", """{"membership":"join","displayname":"Zanzibar"}""", stateKey: Alice)[..^1]
                + end,
            Event("$empty", Room, Alice, "m.room.message", "{}")[..^1] + end);
        Assert.DoesNotContain(AllLines(Room, "log"), line => line.Contains("erased", StringComparison.Ordinal));
        Assert.Equal($"*** {Alice} set the topic to \"zanzibar topic\"", AllLines(Room, "log")[0]);
        Assert.Equal(0, (await RunAsync("erase", "--user", Alice, "--yes")).ExitCode);
        Assert.Empty(FilesWith(Logs, Secret));
        Assert.All(AllLines(Room, "log"), line => Assert.Contains("erased", line, StringComparison.Ordinal));
        Assert.All(AllLines(Room, "jsonl"), line => Assert.Matches(""","received_ts":\d+,"erased":true\}$""", line));
        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task An_erased_message_that_was_not_logged_keeps_its_edits_out()
    {
        await PushNotLoggedAsync("1", Event("$m", Room, Alice, "m.room.message", Text($"!nolog {Secret}")));
        Assert.Equal(0, (await RunAsync("erase", "--user", Alice, "--yes")).ExitCode);
        Assert.Equal([$"<{Alice}, erased>"], AllLines(Room, "log"));
        Assert.Matches(""","not_logged":true,.*,"received_ts":\d+,"erased":true\}$""", AllLines(Room, "jsonl")[0]);
        await PushNotLoggedAsync("2", Edit("$edit", Room, Alice, "$m", $"{Secret} without the prefix"));
        Assert.Equal(2, AllIds(Room).Length);
        Assert.Empty(FilesWith(Logs, Secret));
        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task A_text_that_cannot_be_read_is_named_and_the_other_days_of_its_room_are_erased()
    {
        await LogAsync();
        var text = Path.Combine(Logs, Other, "20250101.log");
        await File.WriteAllTextAsync(Path.ChangeExtension(text, "jsonl"), "{}\n", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(text);
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.Equal(1, exitCode);
        Assert.Contains(output, line => line.StartsWith($"Can't be read: {Other}/20250101.log: ", StringComparison.Ordinal));
        Assert.Empty(FilesWith(Logs, Secret));
    }

    private async Task PushNotLoggedAsync(string transactionId, string json)
    {
        using var service = new ServiceUnderTest(Time, Folder, settings: new() { ["LoggingService:NoLogPrefix"] = "!nolog" });
        Assert.Equal(200, (await service.PushAsync(transactionId, json)).Status);
    }

    private RoomEvent Members(string part, params (string Id, string Name)[] members) =>
        Note.Create(Note.FirstMembers, Room, $"{Room} {part}", json =>
        {
            json.WriteStartObject("members");
            foreach (var (id, name) in members)
                json.WriteString(id, name);
            json.WriteEndObject();
        });
}
