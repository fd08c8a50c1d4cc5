using LoggingService.Visibility;

namespace LoggingService.Tests.Search;

/// <summary>What was removed, hidden, erased or replaced is not found, and its words leave the files of the index.</summary>
public sealed class SearchRemovalTests : SearchTestBase
{
    private const string Secret = "xyzzysecretword";
    private static readonly DateOnly Next = Day.AddDays(1);

    [Fact]
    public void The_newest_edit_is_found_at_the_original()
    {
        Write(
            Day, Message("$1", "coffee", 1), Edit("$2", "$1", "cocoa", 2), Edit("$3", "$1", "tea", 3),
            Edit("$4", "$1", "milk", 4, sender: Bob), Edit("$5", "$missing", "water", 5));
        Index();
        Assert.Equal(["$1"], Find("tea"));
        Assert.All(["coffee", "cocoa", "milk", "water"], word => Assert.Empty(Find(word)));

        Append(Day, Edit("$6", "$1", "juice", 6));
        Index();
        Assert.Equal(["$1"], Find("juice"));
        Assert.Empty(Find("tea"));

        Write(Next, Edit("$7", "$1", "wine", 7, Next), Redaction("$8", "$7", 8, Next));
        Index();
        Assert.Equal(["$1"], Find("juice"));
        Assert.Empty(Find("wine"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_words_of_a_removed_event_and_of_its_edits_leave_the_files(bool isEdited)
    {
        Write(Day, Message("$1", isEdited ? "kept" : Secret, 1), Message("$2", "kept", 2));
        if (isEdited)
        {
            Append(Day, Edit("$3", "$1", Secret, 3));
        }

        Index();
        Assert.Equal(["$1"], Find(Secret));
        Assert.True(IndexHas(Secret[2..]));

        Write(Next, Redaction("$4", "$1", 4, Next));
        Index();
        Assert.Empty(Find(Secret));
        Assert.Equal(["$2"], Find("kept"));
        Assert.False(IndexHas(Secret[2..]));
    }

    [Fact]
    public void Every_word_leaves_the_files_of_a_large_index()
    {
        var random = new Random(18);
        var messages = Enumerable.Range(0, 20_000)
            .Select(i => Message($"${i}", $"{string.Join(' ', Enumerable.Range(0, 8).Select(_ => Word(random)))} unique{i}word", i))
            .ToList();
        Write(Day, messages);
        Index();
        var removed = Enumerable.Range(0, 200).Select(_ => random.Next(messages.Count)).Distinct().ToList();
        foreach (var part in removed.Chunk(40))
        {
            Append(Day, part.Select(i => Redaction($"$r{i}", $"${i}", 30_000)));
            Index();
        }

        Assert.DoesNotContain(removed, i => Find($"unique{i}word").Count > 0);
        Assert.DoesNotContain(removed, i => IndexHas($"nique{i}word"));
        Assert.Equal(["$100000"], FindAfter(Message("$100000", "unique100000word", 40_000), "unique100000word"));

        static string Word(Random random) => $"w{(int)Math.Pow(10, random.NextDouble() * 4)}";
    }

    [Fact]
    public void A_redaction_before_its_event_and_one_that_is_read_with_it_count()
    {
        Write(Day, Redaction("$1", "$3", 1), Redaction("$2", "$4", 2), Message("$3", Secret, 3));
        Write(Next, Message("$4", Secret, 4, Next), Message("$5", "kept", 5, Next));
        Index();
        Assert.Empty(Find(Secret));
        Assert.Equal(["$5"], Find("kept"));
        Assert.False(IndexHas(Secret[2..]));
    }

    [Fact]
    public void A_ban_removes_what_the_user_wrote_before()
    {
        Write(Day, Message("$1", Secret, 1, sender: Bob), Message("$2", "kept", 2));
        Index();
        Write(Next, Message("$3", $"{Secret} again", 3, Next, Bob), Ban("$4", Bob, 4, Next), Message("$5", "later", 5, Next, Bob));
        Index();
        Assert.Empty(Find(Secret));
        Assert.Equal(["$5"], Find("later"));
        Assert.False(IndexHas(Secret[2..]));

        // An older event that is fetched behind the ban.
        Append(Next, Message("$6", Secret, 1, sender: Bob).Replace(",\"received_ts\"", ",\"fetched_ts\":1795500000000,\"received_ts\""));
        Index();
        Assert.Empty(Find(Secret));
    }

    [Fact]
    public void A_ban_counts_in_the_index_as_on_the_pages()
    {
        // The place of a fetched event does not tell when it was sent.
        var fetched = Message("$1", "fetched", 9, sender: Bob).Replace(",\"received_ts\"", ",\"fetched_ts\":1795500000000,\"received_ts\"");
        Write(Day, fetched, Message("$2", "before", 2, sender: Bob), Ban("$3", Bob, 4), Message("$4", "after", 5, sender: Bob));
        Index();
        Assert.Equal(["$1"], Find("fetched"));
        Assert.Empty(Find("before"));

        // An edit may repeat what was removed.
        Append(Day, Edit("$5", "$4", Secret, 6, sender: Bob));
        Index();
        Assert.Equal(["$4"], Find("after"));
        Assert.False(IndexHas(Secret[2..]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_fetched_ban_counts_by_the_time_of_each_event(bool isIndexedBefore)
    {
        // A second has few rows: most of the raid have rows of later seconds, and the first message has one of its ban's second.
        var after = Message("$after", "later", 1, sender: Bob).Replace("000,\"room_id\"", "500,\"room_id\"");
        Write(Day, [after, .. Enumerable.Range(0, 200).Select(i => Message($"${i}", $"{Secret} raid", 1, sender: Bob))]);
        if (isIndexedBefore)
        {
            Index();
            Assert.Equal(["$after"], Find("later"));
        }

        Append(Day, Fetched(Ban("$ban", Bob, 1)));
        Index();
        Assert.Empty(Find("raid"));
        Assert.Equal(["$after"], Find("later"));
        Assert.False(IndexHas(Secret[2..]));
    }

    [Fact]
    public void Edits_of_a_user_whose_ban_is_fetched_later_leave_the_files()
    {
        Write(
            Day, Message("$1", "before", 2, sender: Bob), Message("$2", "after", 5, sender: Bob),
            Edit("$3", "$2", Secret, 6, sender: Bob), Message("$4", "after", 7, sender: Bob), Edit("$5", "$4", Secret, 8, sender: Bob));
        Index();
        Assert.Equal(["$4", "$2"], Find(Secret));
        Append(Day, Edit("$6", "$4", Secret, 9, sender: Bob), Fetched(Ban("$7", Bob, 4)), Fetched(Ban("$8", Bob, 3)));
        Index();
        Assert.Equal(["$4", "$2"], Find("after"));
        Assert.Empty(Find("before"));
        Assert.Empty(Find(Secret));
        Assert.False(IndexHas(Secret[2..]));
    }

    [Fact]
    public void An_erasure_replaces_the_record()
    {
        Write(Day, Message("$1", "kept", 1), Message("$2", Secret, 2), Message("$3", "also kept", 3));
        Index();
        Write(
            Day, Message("$1", "kept", 1),
            Line(Tea, "$2", Alice, "{}", 2, more: ",\"erased\":true"), Message("$3", "also kept", 3));
        Index();
        Assert.Equal(["$3", "$1"], Find("kept"));
        Assert.Empty(Find(Secret));
        Assert.False(IndexHas(Secret[2..]));
    }

    [Fact]
    public void An_erased_edit_of_another_day_gives_the_original_its_text_again()
    {
        Write(Day, Message("$1", "first", 1));
        Write(Next, Edit("$2", "$1", Secret, 2, Next));
        Index();
        Assert.Equal(["$1"], Find(Secret));
        Write(Next, Line(Tea, "$2", Alice, "{}", 2, Next, more: ",\"erased\":\"$3\""), Redaction("$3", "$2", 3, Next));
        Index();
        Assert.Equal(["$1"], Find("first"));
        Assert.False(IndexHas(Secret[2..]));
    }

    [Fact]
    public void The_id_of_a_user_whose_events_are_gone_leaves_the_files()
    {
        Write(Day, Message("$1", "kept", 1), Message("$2", "word", 2, sender: "@xyzzy:localhost"));
        Index();
        Write(Day, Message("$1", "kept", 1), Line(Tea, "$2", "@erased-1:erased.invalid", "{}", 2, more: ",\"erased\":true"));
        Index();
        Assert.False(IndexHas("@xyzzy:"));
    }

    [Fact]
    public void Hidden_events_users_and_rooms_leave_the_files_and_come_back()
    {
        Write(Day, Message("$1", "plughevent", 1), Message("$2", "plughuser", 2, sender: Bob), Message("$3", "kept", 3));
        WriteTo(Milk, Day, Message("$4", "plughroom", 4, room: Milk));
        Index();
        Assert.Equal(["$4", "$2", "$1"], Find("plugh*"));

        Hidden = new(new HashSet<string> { "$1" }, new HashSet<string> { Bob }, new HashSet<string> { Milk });
        Index(isFull: false);
        Assert.Empty(Find("plugh*"));
        Assert.Equal(["$3"], Find("kept"));
        Assert.All(["event", "user", "room"], word => Assert.False(IndexHas($"lugh{word}")));

        Hidden = HiddenIds.None;
        Index(isFull: false);
        Assert.Equal(["$4", "$2", "$1"], Find("plugh*"));
    }

    [Fact]
    public void Days_and_rooms_that_are_removed_leave_the_files()
    {
        Write(Day, Message("$1", "plughday", 1));
        Write(Next, Message("$2", "kept", 2, Next));
        WriteTo(Milk, Day, Message("$3", "plughroom", 3, room: Milk));
        Index();
        File.Delete(Record(Tea, Day));
        Directory.Delete(Path.Combine(Root, Milk), recursive: true);
        Index();
        Assert.Empty(Find("plugh*"));
        Assert.Equal(["$2"], Find("kept"));
        Assert.All(["day", "room"], word => Assert.False(IndexHas($"lugh{word}")));
    }

    private static string Fetched(string line) => line.Replace(",\"received_ts\"", ",\"fetched_ts\":1795500000000,\"received_ts\"");

    private IReadOnlyList<string> FindAfter(string line, string query)
    {
        Append(Day, line);
        Index();
        return Find(query);
    }
}
