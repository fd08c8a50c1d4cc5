using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using LoggingService.Files;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Room ids and aliases with a meaning for file systems, shells or terminals: each has its own entry, inside the logs.</summary>
public class HostileNameTests
{
    private static readonly char[] FewCharacters =
        ['a', 'A', '.', '-', '!', '/', '%', '\0', '\u202E', '\u0301', 'é', '\uD83D', '\uDE00', '~'];

    private static readonly char[] ManyCharacters =
    [
        .. FewCharacters, 'b', 'Z', '0', '9', '_', ':', '\\', ' ', '\n', '\r', '\t', '\u001B', '\u007F', '\u0085',
        '\u200B', '\u200F', '\u2066', '\uFEFF', 'İ', 'ı', 'ß', 'ẞ', 'K', '\u212A',
        '`', '$', '"', '\'', '*', '?', '<', '>', '|', '&', ';', '#', '@', '(', '[', '{', '^', '=', '+', ',',
        '\u2028', '\u2044', '\uFF0E', '\uFF0F', '漢', '\u0345', '\uDC00', '\uFFFD', '\uFFFF',
    ];

    private static readonly string[] Special =
    [
        "..", "...", "../..", "../../../../tmp/x", "/etc/passwd", "~root", "-rf", "--", ".journal", ".lock", ".quarantine",
        "latest.log", "20261123.jsonl", "%2E%2E", "%2e%2e", "%252E",
        "CON", "con", "NUL", "nul.txt", "aux.txt", "COM1", "lpt9.log", "PRN.",
        "name.", "name ", " name", "Straße", "STRASSE", "straße", "caf\u00e9", "cafe\u0301", "CAFÉ",
        "ﬁ", "fi", "Å", "Å", "Å", "ſ", "s", "$(reboot)", "`reboot`", "a\nb", "😀", "👨‍👩‍👧",
        .. from length in new[] { 198, 199, 200, 201, 254, 255, 256, 1000, 3000 }
           from c in new[] { "a", "é", "/", "😀", "." }
           select string.Concat(Enumerable.Repeat(c, length / Encoding.UTF8.GetByteCount(c))),
        new string('a', 199) + "b", new string('a', 300) + "b", new string('A', 300),
    ];

    private static readonly SearchValues<char> NotInAliases = SearchValues.Create(":\0 \t\n\v\f\r");

    private readonly string[] _names = [.. Names(Trial.Scale(0, 1) == 0 ? FewCharacters : ManyCharacters)];
    private readonly ConcurrentDictionary<string, string> _aliasByRoom = new();

    [Fact]
    public async Task Every_room_has_a_folder_of_its_own_inside_the_logs()
    {
        using var service = new ServiceUnderTest();

        // With a server name and, as of room version 12, without.
        var ids = _names.Select(name => $"!{name}:localhost").Concat(_names.Select(name => "!" + name));
        string[] rooms = [.. ids.Distinct(StringComparer.Ordinal)];
        foreach (var chunk in rooms.Chunk(200))
        {
            Assert.Equal(200, (await service.PushAsync(Some.EventId(), chunk.Select(Message))).Status);
            Assert.Equal(200, (await service.PushAsync(Some.EventId(), chunk.Take(3).Select(Message))).Status);
        }

        var lost = 0;
        var duplicated = 0;
        foreach (var room in rooms)
        {
            var folder = Path.Combine(service.Logs, FolderName.ForRoom(room));
            var events = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.jsonl").SelectMany(File.ReadAllLines).ToList() : [];
            Assert.All(events, line => Assert.Contains(Escaped(room), line, StringComparison.Ordinal));
            lost += events.Count == 0 ? 1 : 0;
            duplicated += events.Count > 1 ? 1 : 0;
        }

        var folders = new DirectoryInfo(service.Logs).GetDirectories("!*");
        Assert.Equal(rooms.Length, folders.Length);
        Assert.All(folders.SelectMany(folder => folder.GetFileSystemInfos()), file =>
            Assert.Matches(@"^(20\d{6}\.(log|jsonl|ids)|latest\.log)$", file.Name));
        AssertInside(service, links: 0);
        const string method = "an event per room: all names of up to two special characters, names that differ in case or "
            + "normalization only, relinks and long names; with and without a server name";
        Trial.Report("hostile room ids", method, rooms.Length, rooms.Length, lost, duplicated);
    }

    [Fact]
    public async Task Every_alias_has_a_link_of_its_own_to_its_room()
    {
        using var service = new ServiceUnderTest(
            registration: ServiceUnderTest.RegistrationText(aliases: "#(?s:.*)"),
            homeserver: new StubHomeserver().CreatingRooms((roomId, alias) => _aliasByRoom[roomId] = alias),
            settings: new() { ["LoggingService:RoomsPerHour"] = "1000000" });
        var links = new Dictionary<string, string>();
        var lost = 0;
        foreach (var name in _names)
        {
            var status = (await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Encoded($"#{name}:localhost")}")).Status;

            // Invalid: the server name starts at a colon, the web server rejects NUL, an unpaired surrogate isn't UTF-8, and homeservers
            // accept neither ASCII white space nor more than 255 bytes.
            var isValid = name.Length > 0 && !name.AsSpan().ContainsAny(NotInAliases) && !IsBroken(name)
                && Encoding.UTF8.GetByteCount($"#{name}:localhost") <= 255;
            Assert.True(isValid ? status == 200 : status is >= 400 and < 500, $"{status} to {Encoded(name)}");
            if (isValid)
                links[name] = FolderName.ForAlias(name);
        }

        foreach (var (name, link) in links)
        {
            var target = new FileInfo(Path.Combine(service.Logs, link)).LinkTarget;
            if (target is null || _aliasByRoom.GetValueOrDefault(target) != $"#{name}:localhost")
                lost++;
        }

        Assert.Equal(links.Count, links.Values.Distinct(StringComparer.Ordinal).Count());
        AssertInside(service, links.Count);
        const string method = "the homeserver queries each alias; its link must point to the room created for it";
        Trial.Report("hostile aliases", method, _names.Length, links.Count, lost, 0);
    }

    private static IEnumerable<string> Names(char[] alphabet)
    {
        var pairs = from a in alphabet from b in alphabet select $"{a}{b}";
        return Special.Concat(alphabet.Select(c => c.ToString())).Concat(pairs).Distinct(StringComparer.Ordinal);
    }

    /// <summary>The folder contains only the logs; the logs contain only rooms, links to rooms, and the service's own files.</summary>
    private static void AssertInside(ServiceUnderTest service, int links)
    {
        var names = Directory.GetFileSystemEntries(service.Folder.Path).Select(Path.GetFileName);
        Assert.Equal(["logs", "registration.yaml"], names.Order(StringComparer.Ordinal));
        var entries = new DirectoryInfo(service.Logs).GetFileSystemInfos();
        Assert.All(entries, entry => Assert.InRange(Encoding.UTF8.GetByteCount(entry.Name), 1, 255));
        Assert.Equal(links, entries.Count(entry => entry.LinkTarget is { } target && target.StartsWith('!') && !target.Contains('/')));
        string[] own = [".lock", ".journal", ".history", "FORMAT"];
        Assert.All(entries, entry =>
            Assert.True(entry.LinkTarget is not null || entry.Name.StartsWith('!') || own.Contains(entry.Name), entry.Name));
    }

    private static string Message(string room)
    {
        var id = Escaped(room);
        return $$"""{"content":{"body":"hello","msgtype":"m.text"},"event_id":"$of{{id}}","origin_server_ts":1,"room_id":"{{id}}","""
            + """
            "sender":"@alice:localhost","type":"m.room.message"}
            """;
    }

    private static string Escaped(string text) => string.Concat(text.Select(c => $"\\u{(int)c:x4}"));

    // An unpaired surrogate becomes its three bytes, which aren't UTF-8.
    private static string Encoded(string text)
    {
        var encoded = string.Concat(Encoding.UTF8.GetBytes(text).Select(b => $"%{b:X2}"));
        return IsBroken(text) ? encoded.Replace("%EF%BF%BD", "%ED%A0%BD") : encoded;
    }

    private static bool IsBroken(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) != text;
}
