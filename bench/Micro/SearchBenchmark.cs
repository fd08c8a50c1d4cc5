using System.Diagnostics;
using System.Globalization;
using System.Text;
using LoggingService.Search;
using LoggingService.Visibility;

namespace Micro;

/// <summary>Builds the index of made-up rooms, and searches it: <c>bench/search</c>.</summary>
internal sealed class SearchBenchmark
{
    private const int Rooms = 10;
    private const int Days = 100;
    private const int Words = 60_000;
    private const int Rounds = 41;
    private const int Page = 50;
    private static readonly DateOnly First = new(2026, 1, 1);
    private readonly Random _random = new(18);
    private readonly string _root;
    private readonly string[] _words;
    private readonly double[] _shares;

    private SearchBenchmark(string root)
    {
        _root = root;
        _words = [.. Enumerable.Range(0, Words).Select(Word)];
        _shares = new double[Words];
        for (var i = 0; i < Words; i++)
        {
            _shares[i] = (i == 0 ? 0 : _shares[i - 1]) + (1.0 / (i + 3));
        }
    }

    public static int Run(string root, int events)
    {
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        var benchmark = new SearchBenchmark(root);
        benchmark.WriteRecords(events);
        benchmark.Build(events);
        benchmark.Search();
        Directory.Delete(root, recursive: true);
        return 0;
    }

    private static string Folder(int room) => $"!room{room}:localhost";

    /// <summary>As often as the words of a language: the second half as often as the first, and so on.</summary>
    private string NextWord()
    {
        var found = Array.BinarySearch(_shares, _random.NextDouble() * _shares[^1]);
        return _words[Math.Min(found < 0 ? ~found : found, Words - 1)];
    }

    /// <summary>Frequent words are short.</summary>
    private string Word(int rank)
    {
        string[] syllables = ["ka", "re", "to", "min", "sol", "ber", "da", "vi", "ne", "ho", "lu", "pas", "gri", "ten", "or", "ema"];
        var word = new StringBuilder();
        for (var i = rank + 1; i > 0; i /= syllables.Length)
        {
            word.Append(syllables[i % syllables.Length]);
        }

        return word.ToString();
    }

    private string Sentence() => string.Join(' ', Enumerable.Range(0, 4 + _random.Next(13)).Select(_ => NextWord()));

    private void WriteRecords(int events)
    {
        var perDay = events / Rooms / Days;
        var id = 0;
        for (var room = 0; room < Rooms; room++)
        {
            Directory.CreateDirectory(Path.Combine(_root, Folder(room)));
            for (var day = 0; day < Days; day++)
            {
                var date = First.AddDays(day);
                var start = new DateTimeOffset(date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).ToUnixTimeMilliseconds();
                using var file = new StreamWriter(Path.Combine(_root, Folder(room), $"{date:yyyyMMdd}.jsonl"));
                for (var i = 0; i < perDay; i++)
                {
                    file.Write(Line(room, id++, start + (i * 86_400_000L / perDay) + _random.Next(1000)));
                    file.Write('\n');
                }
            }
        }
    }

    /// <summary>One in fifty is an edit of an earlier event, one in two hundred removes one.</summary>
    private string Line(int room, int number, long time)
    {
        var sender = $"@user{_random.Next(100) * _random.Next(10)}:example.org";
        var target = Id(Math.Max(0, number - 1 - _random.Next(200)));
        var kind = _random.Next(200);
        var text = Sentence() + (_random.Next(30) == 0 ? $" https://example.org/{NextWord()}/{_random.Next()}" : "");
        var body = $"\"body\":\"{text}\",\"msgtype\":\"m.text\"";
        var relation = $"\"m.relates_to\":{{\"event_id\":\"{target}\",\"rel_type\":\"m.replace\"}}";
        var content = kind switch
        {
            0 => $"{{\"redacts\":\"{target}\"}}",
            < 5 => $"{{{body},\"m.new_content\":{{{body}}},{relation}}}",
            < 9 => $"{{\"body\":\"{NextWord()}.png\",\"msgtype\":\"m.image\",\"url\":\"mxc://example.org/{number}\"}}",
            _ => $"{{{body}}}",
        };
        return $"{{\"age\":30,\"content\":{content},\"event_id\":\"{Id(number)}\",\"origin_server_ts\":{time},"
            + $"\"room_id\":\"{Folder(room)}\",\"sender\":\"{sender}\",\"type\":\"{(kind == 0 ? "m.room.redaction" : "m.room.message")}\","
            + $"\"unsigned\":{{\"age\":30,\"membership\":\"join\"}},\"user_id\":\"{sender}\",\"received_ts\":{time + 40}}}";
    }

    private static string Id(int number) =>
        "$" + Convert.ToBase64String(Encoding.ASCII.GetBytes($"{number:D8}-of-the-benchmark-of-search"))[..43];

    private void Build(int events)
    {
        var watch = Stopwatch.StartNew();
        using var tables = IndexTables.Open(_root);
        new IndexUpdate(_root, tables, Console.Error.WriteLine).Run(HiddenIds.None, isFull: true, (_, _) => { }, CancellationToken.None);
        var built = watch.Elapsed.TotalSeconds;
        watch.Restart();
        IndexPurge.Request(tables.Writer.Connection);
        var isPurged = IndexPurge.Run(tables.Writer);
        Write($"build: {events} lines in {built:0.0} s, {events / built:0} events/s (goal 30000)");
        Write($"removal: {watch.Elapsed.TotalSeconds:0.0} s until removed words have left the files ({isPurged})");
        var size = Directory.GetFiles(Path.GetDirectoryName(SearchDatabase.PathOf(_root))!).Sum(file => new FileInfo(file).Length);
        Write($"size: {size / 1e6:0.0} MB, {size / 1e6 / events * 1e6:0.0} MB a million events (goal 110)");
        Write($"memory: {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB at most");
    }

    private void Search()
    {
        var index = new SearchIndex(_root, TimeZoneInfo.Utc);
        SearchedRoom[] all = [.. Enumerable.Range(0, Rooms).Select(room => new SearchedRoom(Folder(room), [], _ => true))];
        Measure("frequent word", _words[0], all, 5);
        Measure("rare word", _words[20_000], all, 5);
        Measure("two frequent words", $"{_words[3]} {_words[9]}", all, 5);
        Measure("start of words", $"{_words[20_000][..5]}*", all, 5);
        Measure("start of many words", $"{_words[700][..3]}*", all, 5);
        Measure("phrase", $"\"{_words[5]} {_words[2]}\"", all, 20);
        Measure("phrase in one room", $"\"{_words[5]} {_words[2]}\"", all[3..4], 20);
        Measure("phrase that is not there", $"\"{_words[40]} {_words[50]} {_words[60]} {_words[70]}\"", all, 20);
        Measure("frequent word of a user", $"{_words[0]} from:user17", all, double.NaN);
        Measure("images", "has:image", all, double.NaN);

        void Measure(string name, string text, SearchedRoom[] rooms, double goal)
        {
            var query = SearchQueryParser.Parse(text);
            var counted = Median(() => index.Search(query, rooms, before: null, Page, CancellationToken.None), out var results);
            var page = Median(() => index.Search(query, rooms, before: long.MaxValue, Page, CancellationToken.None), out _);
            var count = $"{results.Count}{(results.HasMoreThanCount ? "+" : "")}";
            Write($"{name}: newest {Page} in {page:0.00} ms, with the count ({count}) {counted:0.00} ms (goal {goal})");
        }
    }

    private static double Median(Func<SearchResults> search, out SearchResults results)
    {
        results = search();
        var times = new List<double>();
        for (var i = 0; i < Rounds; i++)
        {
            var started = Stopwatch.GetTimestamp();
            search();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return times.Order().ElementAt(Rounds / 2);
    }

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
