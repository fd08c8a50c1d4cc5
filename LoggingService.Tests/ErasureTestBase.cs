using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.Events;
using LoggingService.Journal;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>
/// Three days of two rooms, the first of which is compressed. Alice wrote secret words, which others quote in all ways that are known.
/// </summary>
public abstract class ErasureTestBase : IDisposable
{
    protected const string Alice = "@alice:localhost";
    protected const string Bob = "@bob:localhost";
    protected const string Secret = "zanzibar";
    protected const string FirstDay = "20251120";
    protected static readonly DateTimeOffset First = new(2025, 11, 20, 12, 0, 0, TimeSpan.Zero);
    private int _count;

    protected string Room { get; } = Some.RoomId();

    protected string Other { get; } = Some.RoomId();

    private protected FakeTimeProvider Time { get; } = new(First);

    private protected TempFolder Folder { get; set; } = TempFolder.ForCaller();

    protected string Logs => Folder["logs"];

    /// <inheritdoc/>
    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected ServiceUnderTest Start(string redactions = "keep") => new(
        Time, Folder, settings: new() { ["LoggingService:CompressAfterDays"] = "1", ["LoggingService:Redactions"] = redactions });

    private protected async Task LogAsync(ServiceUnderTest service)
    {
        await PushAsync(
            service,
            Event("$join", Room, Alice, "m.room.member", """{"membership":"join","displayname":"Zanzibar Alice"}""", stateKey: Alice),
            Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")),
            Event("$kept", Room, Bob, "m.room.message", Text("nothing of note")),
            Reply("$reply", Room, Bob, "$secret", $"> <{Alice}> the {Secret} words\n\nreally?"),
            Reply("$nested", Room, Alice, "$reply", "really"),
            Event("$reaction", Room, Bob, "m.reaction", Relation("m.annotation", "$secret", ",\"key\":\"👍\"")),
            Edit("$edit", Room, Alice, "$secret", $"the {Secret} words, edited"),
            Edit("$replyedit", Room, Bob, "$reply", $"> <{Alice}> the {Secret} words\n\nreally!"),
            Event("$topic", Room, Alice, "m.room.topic", $"{{\"topic\":\"{Secret} topic\"}}", stateKey: ""),
            Event("$poll", Room, Alice, "m.poll.start", Poll()),
            Event(
                "$end", Room, Alice, "m.poll.end",
                Relation("m.reference", "$poll")[..^1] + $",\"m.text\":[{{\"body\":\"{Secret} won\"}}]}}"));
        await NextDayAsync(service);
        await PushAsync(
            service,
            Event("$thread", Room, Bob, "m.room.message", Text("more", """{"rel_type":"m.thread","event_id":"$secret"}""")),
            Event(
                "$topic2", Room, Bob, "m.room.topic", "{\"topic\":\"another\"}", stateKey: "",
                more: $",\"unsigned\":{{\"prev_content\":{{\"topic\":\"{Secret} topic\"}},\"replaces_state\":\"$topic\"}}"),
            Event(
                "$html", Room, Bob, "m.room.message",
                $"{Text($"> <{Alice}> the {Secret} words\n\nlater", InReplyTo("$secret"))[..^1]},\"format\":\"org.matrix.custom.html\","
                    + $"\"formatted_body\":\"<mx-reply><blockquote>the {Secret} words</blockquote></mx-reply>later\"}}"),
            Event("$other", Other, Alice, "m.room.message", Text($"{Secret} here")),
            Event("$mention", Other, Bob, "m.room.message", Text($"see https://matrix.to/#/{Alice} and {Alice}.")),
            Event("$others", Other, "@alice:localhost.example", "m.room.message", Text("another one")),
            $"{{\"event_id\":\"$noroom\",\"sender\":\"{Alice}\",\"type\":\"m.room.message\",\"content\":{Text(Secret)}}}");
        await NextDayAsync(service);
        await PushAsync(service, Event("$today", Room, Bob, "m.room.message", Text("today")));
        await Wait.UntilAsync(() => File.Exists(Gz("jsonl")) && File.Exists(Gz("log")), "the first day is compressed");
        await service.CheckpointAsync();

        // As a repair, and a kill, leave them.
        await File.WriteAllTextAsync(
            Path.Combine(Logs, Room, $"{FirstDay}.log.old"), $"<{Alice}> the {Secret} words\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(Logs, Room, $"{FirstDay}.jsonl.gz.new"), $"the {Secret} words\n", TestContext.Current.CancellationToken);
    }

    /// <summary>The logs of a service that was stopped.</summary>
    private protected async Task LogAsync()
    {
        using var service = Start();
        await LogAsync(service);
    }

    private protected async Task PushAsync(ServiceUnderTest service, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync($"{_count++}", events)).Status);

    /// <summary>Logs notes, and events as if they had been fetched.</summary>
    private protected static async Task AppendAsync(ServiceUnderTest service, params RoomEvent[] events)
    {
        _ = service.Client;
        var logs = service.Services.GetRequiredService<LogDirectory>();
        await logs.AppendAsync(
        [
            .. events.Select(e => e.IsNote
                ? new JournalEntry(JournalEntryKind.Note, 0, default, e.Json.Bytes) { Event = e }
                : JournalEntry.OfFetched(e, fetchedTs: 7, day: null)),
        ]);
        await logs.CaughtUpAsync();
    }

    private protected static RoomEvent Fetched(string json) => RoomEvent.FromJournal(Encoding.UTF8.GetBytes(json), isNote: false)!;

    private protected async Task NextDayAsync(ServiceUnderTest service)
    {
        await service.CheckpointAsync();
        Time.Advance(TimeSpan.FromDays(1));
    }

    protected string Gz(string extension) => Path.Combine(Logs, Room, $"{FirstDay}.{extension}.gz");

    protected string Event(string id, string room, string sender, string type, string content, string? stateKey = null, string more = "") =>
        $"{{\"content\":{content},\"event_id\":\"{id}\",\"origin_server_ts\":{Time.GetUtcNow().ToUnixTimeMilliseconds()},"
        + $"\"room_id\":\"{room}\",\"sender\":\"{sender}\",\"type\":\"{type}\",\"user_id\":\"{sender}\""
        + $"{(stateKey is null ? "" : $",\"state_key\":\"{stateKey}\"")}{more}}}";

    protected string Reply(string id, string room, string sender, string to, string body) => Event(
        id, room, sender, "m.room.message", Text(body, InReplyTo(to)));

    private static string InReplyTo(string id) => $"{{\"m.in_reply_to\":{{\"event_id\":\"{id}\"}}}}";

    protected string Edit(string id, string room, string sender, string of, string body) => Event(
        id, room, sender, "m.room.message",
        $"{Text($"* {body}")[..^1]},\"m.new_content\":{Text(body)},{Relation("m.replace", of)[1..]}");

    protected string Redaction(string id, string room, string of) =>
        Event(id, room, Alice, "m.room.redaction", "{}", more: $",\"redacts\":\"{of}\"");

    protected static string Text(string body, string? relatesTo = null) =>
        $"{{\"msgtype\":\"m.text\",\"body\":{JsonSerializer.Serialize(body)}"
        + $"{(relatesTo is null ? "" : $",\"m.relates_to\":{relatesTo}")}}}";

    protected static string Relation(string type, string id, string more = "") =>
        $"{{\"m.relates_to\":{{\"rel_type\":\"{type}\",\"event_id\":\"{id}\"{more}}}}}";

    private static string Poll() =>
        $"{{\"m.poll\":{{\"question\":{{\"m.text\":[{{\"body\":\"{Secret}?\"}}]}},"
        + $"\"answers\":[{{\"m.id\":\"1\",\"m.text\":[{{\"body\":\"{Secret}\"}}]}}]}}}}";

    /// <summary>Runs a command in the folder of the logs; returns its exit code and its lines.</summary>
    private protected async Task<(int ExitCode, IReadOnlyList<string> Output)> RunAsync(params string[] arguments)
    {
        await using var process = ServiceProcess.Start(Folder.Path, arguments);
        return (await process.WaitForExitAsync(), process.Output);
    }

    private protected async Task AssertVerifiedAsync()
    {
        var (exitCode, output) = await RunAsync("verify");
        Assert.True(exitCode == 0, string.Join('\n', output));
    }

    /// <summary>The content of a day's file, compressed or not.</summary>
    private protected static string[] Lines(string path)
    {
        if (File.Exists(path))
            return File.ReadAllLines(path);
        using var reader = new StreamReader(new GZipStream(File.OpenRead($"{path}.gz"), CompressionMode.Decompress));
        return reader.ReadToEnd().TrimEnd('\n').Split('\n');
    }

    /// <summary>
    /// All lines of a room's texts or records, without the times of the texts. Tests skip days: how soon after one the service reports a
    /// pause of pushes is not theirs.
    /// </summary>
    private protected string[] AllLines(string room, string extension) =>
    [
        .. Directory.GetFiles(Path.Combine(Logs, room))
            .Select(path => Regex.Match(path, $@"^.*\d{{8}}\.{extension}(?=(\.gz)?$)").Value)
            .Where(path => path.Length > 0)
            .Distinct()
            .Order(StringComparer.Ordinal)
            .SelectMany(Lines)
            .Where(line => !Regex.IsMatch(line, @"\*\*\* events between .+ and .+ may be missing$|""type"":""events[.]missing"""))
            .Select(line => extension == "log" ? line[27..] : line),
    ];

    /// <summary>The ids in all records of a room; a line without one is an error.</summary>
    private protected string[] AllIds(string room) =>
        [.. AllLines(room, "jsonl").Select(line => JsonElement.Parse(line).GetProperty("event_id").GetString()!)];

    /// <summary>The files below the logs that contain some text, as it is, compressed or as base64.</summary>
    private protected static IReadOnlyList<string> FilesWith(string logs, string text) =>
    [
        .. Directory.GetFiles(logs, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Where(path => Path.GetFileName(path) != ".lock" && new FileInfo(path).LinkTarget is null)
            .Where(path => Contents(path).Any(content => content.Contains(text, StringComparison.OrdinalIgnoreCase)))
            .Select(path => Path.GetRelativePath(logs, path)),
    ];

    private static IEnumerable<string> Contents(string path)
    {
        using var bytes = new MemoryStream();
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.CopyTo(bytes);
        }
        catch (FileNotFoundException)
        {
            // Removed meanwhile.
        }

        var text = Encoding.Latin1.GetString(bytes.ToArray());
        yield return text;
        foreach (Match base64 in Regex.Matches(text, "\"base64\":\"([^\"]*)\""))
            yield return Encoding.Latin1.GetString(Convert.FromBase64String(base64.Groups[1].Value));
        if (path.EndsWith(".gz", StringComparison.Ordinal))
        {
            bytes.Position = 0;
            yield return Decompress(bytes);
        }
    }

    private static string Decompress(Stream bytes)
    {
        try
        {
            using var reader = new StreamReader(new GZipStream(bytes, CompressionMode.Decompress), Encoding.Latin1);
            return reader.ReadToEnd();
        }
        catch (InvalidDataException)
        {
            // Damaged by a test.
            return "";
        }
    }
}
