using System.IO.Compression;
using System.Text;
using System.Text.Json;
using LoggingService.Files;
using LoggingService.RoomLogs;
using LoggingService.Search;
using LoggingService.Tests.Support;
using LoggingService.Visibility;

namespace LoggingService.Tests.Search;

/// <summary>Records of rooms in a folder, and their index.</summary>
public abstract class SearchTestBase : IDisposable
{
    protected const string Tea = "!tea:localhost";
    protected const string Milk = "!milk:localhost";
    protected const string Alice = "@alice:localhost";
    protected const string Bob = "@bob:localhost";
    protected static readonly DateOnly Day = new(2026, 11, 23);

    private readonly SearchIndex _index;

    protected SearchTestBase() => _index = new(Root, TimeZoneInfo.Utc);

    private protected TempFolder Folder { get; } = TempFolder.ForCaller();

    private protected HiddenIds Hidden { get; set; } = HiddenIds.None;

    /// <summary>The log directory.</summary>
    protected string Root => Folder.Path;

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A line of a record.</summary>
    protected static string Line(
        string room, string id, string sender, string content, int second = 0, DateOnly? day = null, string type = "m.room.message",
        string more = "")
    {
        var time = new DateTimeOffset((day ?? Day).ToDateTime(new(12, 0)), TimeSpan.Zero).AddSeconds(second).ToUnixTimeMilliseconds();
        return $"{{\"content\":{content},\"event_id\":\"{id}\",\"origin_server_ts\":{time},\"room_id\":\"{room}\",\"sender\":\"{sender}\","
            + $"\"type\":\"{type}\"{more},\"received_ts\":{time + 50}}}";
    }

    protected static string Text(string body, string more = "") =>
        $"{{\"msgtype\":\"m.text\",\"body\":{JsonSerializer.Serialize(body)}{more}}}";

    protected static string Message(
        string id, string body, int second = 0, DateOnly? day = null, string sender = Alice, string room = Tea) =>
        Line(room, id, sender, Text(body), second, day);

    protected static string Edit(
        string id, string target, string body, int second = 0, DateOnly? day = null, string sender = Alice) => Line(
        Tea, id, sender,
        Text(
            $"* {body}",
            $",\"m.new_content\":{Text(body)},\"m.relates_to\":{{\"rel_type\":\"m.replace\",\"event_id\":\"{target}\"}}"),
        second, day);

    protected static string Redaction(string id, string target, int second = 0, DateOnly? day = null) =>
        Line(Tea, id, Alice, "{}", second, day, "m.room.redaction", $",\"redacts\":\"{target}\"");

    protected static string Ban(string id, string user, int second = 0, DateOnly? day = null) => Line(
        Tea, id, Alice, "{\"membership\":\"ban\",\"redact_events\":true}", second, day, "m.room.member", $",\"state_key\":\"{user}\"");

    /// <summary>Replaces a day's record, as an erasure does.</summary>
    protected void Write(DateOnly day, params IEnumerable<string> lines) => WriteTo(Tea, day, lines);

    protected void WriteTo(string room, DateOnly day, params IEnumerable<string> lines)
    {
        var path = Record(room, day);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path + ".new", string.Concat(lines.Select(line => line + "\n")));
        File.Move(path + ".new", path, overwrite: true);
    }

    protected void Append(DateOnly day, params IEnumerable<string> lines) => File.AppendAllLines(Record(Tea, day), lines);

    protected void Compress(DateOnly day)
    {
        var path = Record(Tea, day);
        using (var output = new GZipStream(File.Create(path + ".gz"), CompressionMode.Compress))
        {
            output.Write(File.ReadAllBytes(path));
        }

        File.Delete(path);
    }

    protected string Record(string room, DateOnly day) => Path.Combine(Root, room, $"{day:yyyyMMdd}.jsonl");

    /// <summary>Brings the index up to date, as the process of the pages does.</summary>
    private protected void Index(bool isFull = true)
    {
        using var tables = IndexTables.Open(Root);
        Index(new(Root, tables, Assert.Fail), tables, isFull);
    }

    private protected void Index(IndexUpdate update, IndexTables tables, bool isFull = true)
    {
        update.Run(Hidden, isFull, (_, _) => { }, CancellationToken.None);
        if (IndexPurge.IsNeeded(tables.Writer.Connection))
        {
            Assert.True(IndexPurge.Run(tables.Writer));
        }
    }

    private protected SearchResults Search(string query, long? before = null, int limit = 100, params IReadOnlyList<SearchedRoom> rooms) =>
        _index.Search(
            SearchQueryParser.Parse(query), rooms.Count > 0 ? rooms : [Room(Tea), Room(Milk)], before, limit, CancellationToken.None);

    private protected static SearchedRoom Room(string id, params string[] aliases) => new(id, [id, .. aliases], _ => true);

    /// <summary>The ids of what is found, as the records have them, newest first.</summary>
    protected IReadOnlyList<string> Find(string query) => [.. Search(query).Hits.Select(IdOf)];

    private protected string IdOf(SearchHit hit)
    {
        using var file = DayFile.Open(Record(hit.Folder, hit.Day));
        return RecordReader.EventAt(file.ReadAt, hit.Place.Offset)!.EventId;
    }

    /// <summary>
    /// Whether a file of the index contains a word. The lock is empty, and SQLite's shared memory has numbers of pages only.
    /// </summary>
    protected bool IndexHas(string word) => Directory.GetFiles(Path.Combine(Root, ".index"))
        .Where(file => Path.GetFileName(file) is not ("lock" or "search.db-shm"))
        .Any(file => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(word)) >= 0);
}
