using LoggingService.Search;

namespace LoggingService.Tests.Search;

/// <summary>What a search finds.</summary>
public sealed class SearchTests : SearchTestBase
{
    [Fact]
    public void Words_phrases_and_starts_of_words_are_found_newest_first()
    {
        Write(
            Day, Message("$1", "Good morning, the kettle is on", 1), Message("$2", "morning good", 2),
            Message("$3", "What a good morning for kettles", 3), Message("$4", "nothing of the kind", 4));
        Index();
        Assert.Equal(["$3", "$2", "$1"], Find("morning GOOD"));
        Assert.Equal(["$3", "$1"], Find("\"good morning\""));
        Assert.Equal(["$1"], Find("kettle"));
        Assert.Equal(["$3", "$1"], Find("kett*"));
        Assert.Equal(["$3"], Find("\"morning for kett\"*"));
        Assert.Empty(Find("morning tea"));
    }

    [Fact]
    public void Filters_select_senders_rooms_days_and_kinds()
    {
        var next = Day.AddDays(1);
        Write(
            Day, Message("$alice", "tea https://example.org/x", 1), Message("$bob", "tea", 2, sender: Bob),
            Line(Tea, "$image", Bob, """{"msgtype":"m.image","body":"tea.png","url":"mxc://x/a"}""", 3),
            Line(Tea, "$file", Bob, """{"msgtype":"m.file","body":"the tea list","filename":"list.pdf","url":"mxc://x/b"}""", 4));
        Write(next, Message("$next", "tea", 5, next));
        WriteTo(Milk, Day, Message("$milk", "tea with milk", 6, room: Milk));
        Index();
        Assert.Equal(["$file", "$image", "$bob"], Find("tea from:bob"));
        Assert.Equal(["$bob"], Find("from:@BOB:localhost \"tea\" before:2026-11-24").Except(["$file", "$image"]));
        Assert.Equal(["$next", "$milk", "$alice"], Find("from:@alice:localhost"));
        Assert.Equal(["$alice"], Find("has:link"));
        Assert.Equal(["$image"], Find("has:image"));
        Assert.Equal(["$file", "$image"], Find("has:file"));
        Assert.Equal(["$file"], Find("list.pdf"));
        Assert.Equal(["$next"], Find("tea after:2026-11-23"));
        Assert.Equal(["$milk"], Find("tea milk before:2026-11-24"));
        Assert.Equal(["$next", "$milk", "$file", "$image", "$bob", "$alice"], Find("after:2026-10"));
        Assert.Empty(Find("before:2026"));
        SearchedRoom[] rooms = [Room(Tea, "#logged_tea:localhost"), Room(Milk, "#logged_milk:localhost")];
        Assert.Equal(["$milk"], Search("in:#logged_milk:localhost", rooms: rooms).Hits.Select(IdOf));
        Assert.Equal(["$milk"], Search("tea in:logged_milk", rooms: rooms).Hits.Select(IdOf));
        Assert.Equal(["$milk"], Search($"in:{Milk}", rooms: rooms).Hits.Select(IdOf));
        Assert.Empty(Search("in:nowhere", rooms: rooms).Hits);
    }

    [Fact]
    public void Only_rooms_and_events_that_the_reader_may_see_are_found_and_counted()
    {
        Write(Day, Message("$1", "tea", 1), Message("$2", "tea", 2), Message("$3", "tea", 3));
        WriteTo(Milk, Day, Message("$4", "tea", 4, room: Milk));
        Index();
        var results = Search("tea", rooms: [Room(Tea) with { MaySee = hit => hit.Place.Line != 1 }]);
        Assert.Equal(["$3", "$1"], results.Hits.Select(IdOf));
        Assert.Equal(2, results.Count);
        Assert.Empty(new SearchIndex(Root, TimeZoneInfo.Utc).Search(
            SearchQueryParser.Parse("tea"), [], before: null, limit: 10, CancellationToken.None).Hits);
    }

    [Fact]
    public void Pages_continue_where_the_last_one_ended_and_counts_stop()
    {
        Write(Day, Enumerable.Range(0, 1200).Select(i => Message($"${i}", "tea", i / 100)));
        Index();
        var first = Search("tea", limit: 700);
        Assert.Equal((1000, true, true), (first.Count, first.HasMoreThanCount, first.IsComplete));
        var second = Search("tea", first.Next, limit: 700);
        Assert.Equal((500, 0, null), (second.Hits.Count, second.Count, second.Next));
        Assert.Equal(
            Enumerable.Range(0, 1200).Reverse().Select(i => $"${i}"), first.Hits.Concat(second.Hits).Select(IdOf));
        var few = Search("tea from:alice before:2026-11-24", limit: 1200);
        Assert.Equal((1200, null), (few.Hits.Count, few.Next));
    }

    [Fact]
    public void A_hit_has_its_place_also_of_a_compressed_day()
    {
        Write(Day, Message("$1", "one", 1), Message("$2", "two", 2), Message("$3", "three", 3), Message("$4", "four", 4));
        Compress(Day);
        Index();
        var hit = Assert.Single(Search("three").Hits);
        Assert.Equal((Tea, Day, 2, Alice), (hit.Folder, hit.Day, hit.Place.Line, hit.Sender));
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 12, 0, 3, TimeSpan.Zero), hit.Time);
    }

    [Fact]
    public void Only_what_people_wrote_is_found()
    {
        const string Unsigned = ",\"unsigned\":{\"io.element.synapse.soft_failed\":true}";
        Write(
            Day,
            Line(
                Tea, "$member", Alice, """{"membership":"join","displayname":"tea"}""", 1, type: "m.room.member",
                more: ",\"state_key\":\"@a:x\""),
            Line(Tea, "$soft", Alice, Text("tea"), 2, more: Unsigned),
            Line(
                Tea, "$reaction", Alice, """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$topic","key":"tea"}}""", 3,
                type: "m.reaction"),
            Line(Tea, "$topic", Alice, """{"topic":"all about tea"}""", 4, type: "m.room.topic", more: ",\"state_key\":\"\""),
            Line(
                Tea, "$poll", Alice,
                """{"m.poll":{"question":{"m.text":[{"body":"what?"}]},"answers":[{"m.text":[{"body":"tea"}]}]}}""", 5,
                type: "m.poll.start"),
            Line(Tea, "$redacted", Alice, "{}", 6, more: ",\"unsigned\":{\"redacted_because\":{\"content\":{\"reason\":\"tea\"}}}"),
            Line(
                Tea, "$reply", Bob,
                Text("> <@alice:localhost> tea\n\ncoffee", ",\"m.relates_to\":{\"m.in_reply_to\":{\"event_id\":\"$x\"}}"), 7),
            Line(Tea, "$encrypted", Bob, """{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"tea"}""", 8, type: "m.room.encrypted"),
            "not an event: tea");
        Index();
        Assert.Equal(["$poll", "$topic"], Find("tea"));
        Assert.Equal(["$reply"], Find("coffee"));
    }

    [Fact]
    public void Without_an_index_a_search_is_unavailable_and_not_empty()
    {
        Write(Day, Message("$1", "tea"));
        Assert.Equal((false, 0), (Search("tea").IsComplete, Search("tea").Count));
    }
}
