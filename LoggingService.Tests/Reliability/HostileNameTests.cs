using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using LoggingService.Files;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Rooms and aliases of names that mean something to a file system, a shell or a terminal: each has its own place, inside the folder.</summary>
public class HostileNameTests
{
    private static readonly char[] Few = ['a', 'A', '.', '-', '!', '/', '%', '\0', '\u202E', '\u0301', 'é', '\uD83D', '\uDE00', '~'];
    private static readonly char[] Many =
    [
        .. Few, 'b', 'Z', '0', '9', '_', ':', '\\', ' ', '\n', '\r', '\t', '\u001B', '\u007F', '\u0085', '\u200B', '\u200F', '\u2066', '\uFEFF', 'İ', 'ı', 'ß', 'ẞ', 'K', '\u212A',
        '`', '$', '"', '\'', '*', '?', '<', '>', '|', '&', ';', '#', '@', '(', '[', '{', '^', '=', '+', ',', '\u2028', '\u2044', '\uFF0E', '\uFF0F', '漢', '\u0345', '\uDC00', '\uFFFD', '\uFFFF',
    ];

    private static readonly string[] Special =
    [
        "..", "...", "../..", "../../../../tmp/x", "/etc/passwd", "~root", "-rf", "--", ".journal", ".lock", ".quarantine", "latest.log", "20261123.jsonl", "%2E%2E", "%2e%2e", "%252E", "CON", "con", "NUL", "nul.txt", "aux.txt", "COM1", "lpt9.log", "PRN.",
        "name.", "name ", " name", "Straße", "STRASSE", "straße", "caf\u00e9", "cafe\u0301", "CAFÉ", "ﬁ", "fi", "Å", "Å", "Å", "ſ", "s", "$(reboot)", "`reboot`", "a\nb", "😀", "👨‍👩‍👧",
        .. from length in new[] { 198, 199, 200, 201, 254, 255, 256, 1000, 3000 } from what in new[] { "a", "é", "/", "😀", "." } select string.Concat(Enumerable.Repeat(what, length / Encoding.UTF8.GetByteCount(what))),
        new string('a', 199) + "b", new string('a', 300) + "b", new string('A', 300),
    ];

    private readonly string[] _names = [.. Names(Trial.Scale(0, 1) == 0 ? Few : Many)];
    private readonly ConcurrentDictionary<string, string> _madeFor = new();
    private int _made;

    [Fact]
    public async Task Every_room_has_a_folder_of_its_own_inside_the_logs()
    {
        using var service = new ServiceUnderTest();

        // With a server's name and, as since room version 12, without.
        string[] rooms = [.. _names.Select(name => $"!{name}:localhost").Concat(_names.Select(name => "!" + name)).Distinct(StringComparer.Ordinal)];
        foreach (var some in rooms.Chunk(200))
        {
            Assert.Equal(200, (await service.PushAsync(Some.EventId(), some.Select(Message))).Status);
            Assert.Equal(200, (await service.PushAsync(Some.EventId(), some.Take(3).Select(Message))).Status);
        }

        var (lost, twice) = (0, 0);
        foreach (var room in rooms)
        {
            var folder = Path.Combine(service.Logs, FolderName.ForRoom(room));
            var events = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.jsonl").SelectMany(File.ReadAllLines).ToList() : [];
            Assert.All(events, line => Assert.Contains(Escaped(room), line, StringComparison.Ordinal));
            lost += events.Count == 0 ? 1 : 0;
            twice += events.Count > 1 ? 1 : 0;
        }

        var folders = new DirectoryInfo(service.Logs).GetDirectories("!*");
        Assert.Equal(rooms.Length, folders.Length);
        Assert.All(folders, folder => Assert.All(folder.GetFileSystemInfos(), file => Assert.Matches(@"^(20\d{6}\.(log|jsonl)|latest\.log)$", file.Name)));
        AssertInside(service, links: 0);
        Trial.Report("nasty room ids", "an event to each room: all names of up to two nasty characters, those that differ in case or normalisation only, reserved and long ones; with and without a server", rooms.Length, rooms.Length, lost, twice);
    }

    [Fact]
    public async Task Every_alias_has_a_link_of_its_own_to_its_room()
    {
        using var service = new ServiceUnderTest(registration: ServiceUnderTest.RegistrationText(aliases: "#(?s:.*)"), homeserver: ThatMakesRooms(),
            settings: new() { ["LoggingService:RoomsPerHour"] = "1000000" });
        var (served, lost) = (new Dictionary<string, string>(), 0);
        foreach (var name in _names)
        {
            var status = (await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Encoded($"#{name}:localhost")}")).Status;

            // What is no alias of ours: a colon begins the server, a NUL ends at the web server, half a surrogate pair is no UTF-8.
            var isNone = name.Contains(':') || name.Contains('\0') || name.Length == 0 || IsBroken(name) || Encoded(name).Length > 8_000;
            Assert.True(isNone ? status is >= 400 and < 500 : status == 200, $"{status} to {Encoded(name)}");
            if (!isNone)
                served[name] = FolderName.ForAlias(name);
        }

        foreach (var (name, link) in served)
        {
            var target = new FileInfo(Path.Combine(service.Logs, link)).LinkTarget;
            lost += target is not null && _madeFor.TryGetValue(target, out var alias) && alias == $"#{name}:localhost" ? 0 : 1;
        }

        Assert.Equal(served.Count, served.Values.Distinct(StringComparer.Ordinal).Count());
        AssertInside(service, served.Count);
        Trial.Report("nasty aliases", "the homeserver asks for each alias, and its link must lead to the room that was made for it", _names.Length, served.Count, lost, 0);
    }

    private static IEnumerable<string> Names(char[] alphabet) =>
        Special.Concat(alphabet.Select(c => c.ToString())).Concat(from a in alphabet from b in alphabet select $"{a}{b}").Distinct(StringComparer.Ordinal);

    /// <summary>Nothing beside the logs; in them rooms, links to rooms, and what is the service's own.</summary>
    private static void AssertInside(ServiceUnderTest service, int links)
    {
        Assert.Equal(["logs", "registration.yaml"], Directory.GetFileSystemEntries(service.Folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var entries = new DirectoryInfo(service.Logs).GetFileSystemInfos();
        Assert.All(entries, entry => Assert.InRange(Encoding.UTF8.GetByteCount(entry.Name), 1, 255));
        Assert.Equal(links, entries.Count(entry => entry.LinkTarget is { } target && target.StartsWith('!') && !target.Contains('/')));
        Assert.All(entries, entry => Assert.True(entry.LinkTarget is not null || entry.Name.StartsWith('!') || entry.Name is ".lock" or ".journal", entry.Name));
    }

    private StubHomeserver ThatMakesRooms() => new StubHomeserver().WithoutAliases()
        .On("POST /_matrix/client/v3/createRoom", _ => Task.FromResult(new StubHomeserver.Response(200, $$"""{"room_id":"!made{{Interlocked.Increment(ref _made)}}:localhost"}""")))
        .On("PUT /_matrix/client/v3/rooms/*", "{}")
        .On("PUT /_matrix/client/v3/directory/room/*", asked =>
        {
            _madeFor[JsonElement.Parse(asked.Body).GetProperty("room_id").GetString()!] = Uri.UnescapeDataString(asked.Line[(asked.Line.LastIndexOf('/') + 1)..]);
            return Task.FromResult(new StubHomeserver.Response(200, "{}"));
        });

    private static string Message(string room) =>
        $$"""{"content":{"body":"hello","msgtype":"m.text"},"event_id":"$of{{Escaped(room)}}","origin_server_ts":1,"room_id":"{{Escaped(room)}}","sender":"@alice:localhost","type":"m.room.message"}""";

    private static string Escaped(string text) => string.Concat(text.Select(c => $"\\u{(int)c:x4}"));

    // Half of a surrogate pair as the three bytes that are no UTF-8.
    private static string Encoded(string text) =>
        string.Concat(Encoding.UTF8.GetBytes(text).Select(b => $"%{b:X2}")).Replace(IsBroken(text) ? "%EF%BF%BD" : "%%", "%ED%A0%BD", StringComparison.Ordinal);

    private static bool IsBroken(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) != text;
}
