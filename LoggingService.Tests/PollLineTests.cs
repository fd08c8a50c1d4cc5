using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class PollLineTests
{
    private const string Stable =
        """{"m.text":[{"body":"Soup or pizza? 1. soup 2. pizza"}],"m.poll":{"kind":"m.undisclosed","question":{"m.text":"""
            + """[{"mimetype":"text/html","body":"<b>Soup</b>"},{"body":"Soup or pizza?"}]},"answers":[{"m.id":"a","m.text":"""
            + """[{"body":"soup"}]},{"m.id":"b","m.text":[{"mimetype":"text/plain","body":"pizza"}]}]}}""";
    private const string Unstable =
        """{"org.matrix.msc1767.text":"Soup or pizza?\n1. soup\n2. pizza","org.matrix.msc3381.poll.start":"""
            + """{"kind":"org.matrix.msc3381.poll.disclosed","max_selections":1,"question":{"org.matrix.msc1767.text":"Soup or pizza?"}"""
            + ""","answers":[{"id":"a","org.matrix.msc1767.text":"soup"},{"id":"b","org.matrix.msc1767.text":"pizza"}]}}""";

    [Theory]
    [InlineData("m.poll.start", Stable)]
    [InlineData("org.matrix.msc3381.poll.start", Unstable)]
    public void A_poll_shows_its_question_and_answers(string type, string content) =>
        Assert.Equal("<@bob:x, poll> Soup or pizza? (1) soup (2) pizza", LineOf.Bobs(type, content));

    [Fact]
    public void A_poll_with_several_answers_shows_how_many() =>
        Assert.Equal(
            "<@bob:x, poll, up to 2 answers> Soup or pizza? (1) soup (2) pizza",
            LineOf.Bobs(
                "org.matrix.msc3381.poll.start",
                Unstable.Replace("\"max_selections\":1", "\"max_selections\":2", StringComparison.Ordinal)));

    [Fact]
    public void A_poll_can_be_edited_and_be_in_a_thread()
    {
        var poll = LineOf.Event("@bob:x", "m.poll.start", Stable);
        Assert.Equal(
            "<@bob:x, edit of 19:20:11, poll> Soup or pizza? (1) soup (2) pizza",
            LineOf.Bobs(
                "m.poll.start", $$$"""{"m.new_content":{{{Stable}}},"m.relates_to":{"rel_type":"m.replace","event_id":"$bobs"}}""", poll));
        Assert.Equal(
            "<@bob:x, in thread poll \"Soup or pizza?\"> soup",
            LineOf.Bobs(
                "m.room.message", """{"msgtype":"m.text","body":"soup","m.relates_to":{"rel_type":"m.thread","event_id":"$bobs"}}""",
                poll));
    }

    [Theory]
    [InlineData("m.poll.response", "\"m.selections\":[\"a\"]", "voted")]
    [InlineData("m.poll.response", "\"m.selections\":[\"a\",\"b\"]", "voted")]
    [InlineData("org.matrix.msc3381.poll.response", "\"org.matrix.msc3381.poll.response\":{\"answers\":[\"a\"]}", "voted")]
    [InlineData("m.poll.response", "\"m.selections\":[]", "took back their vote")]
    [InlineData("m.poll.response", "\"m.selections\":null,\"org.matrix.msc3381.poll.response\":{\"answers\":[\"a\"]}", "voted")]
    [InlineData("org.matrix.msc3381.poll.response", "\"org.matrix.msc3381.poll.response\":{\"answers\":[]}", "took back their vote")]
    public void A_vote_shows_its_poll_and_never_its_answer(string type, string vote, string line)
    {
        var content = $$$"""{"m.relates_to":{"rel_type":"m.reference","event_id":"$theirs"},{{{vote}}}}""";
        Assert.Equal($"*** @bob:x {line} in the poll $theirs", LineOf.Bobs(type, content));
        Assert.Equal(
            $"*** @bob:x {line} in the poll \"Soup or pizza?\"",
            LineOf.Bobs(type, content, LineOf.Event("@alice:x", "m.poll.start", Stable)));
        Assert.Equal(
            $"*** @bob:x {line} in the poll of @alice:x 19:20:11",
            LineOf.Bobs(type, content, LineOf.Event("@alice:x", "m.poll.start", "{}")));
        Assert.Equal(
            $"*** @bob:x {type} {content}", LineOf.Bobs(type, content, LineOf.Event("@alice:x", "m.room.message", """{"body":"hello"}""")));
    }

    [Fact]
    public void A_poll_is_named_by_its_edited_question()
    {
        var poll = LineOf.Event("@alice:x", "m.poll.start", Stable);
        var edit = LineOf.Event(
            $$$"""
            {
                "event_id":"$edit","room_id":"!r:x","type":"m.poll.start","sender":"@alice:x","origin_server_ts":1795461611000,
                "content":{"m.new_content":{{{Stable.Replace("Soup or pizza?", "Curry?", StringComparison.Ordinal)}}},
                "m.relates_to":{"rel_type":"m.replace","event_id":"$theirs"}}
            }
            """);
        Assert.Equal(
            "*** @bob:x voted in the poll \"Curry?\"",
            LineOf.Bobs(
                "m.poll.response", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$theirs"},"m.selections":["a"]}""", poll,
                edit));
    }

    [Fact]
    public void The_number_of_answers_is_omitted_if_it_is_of_the_wrong_type() =>
        Assert.Equal(
            "<@bob:x, poll> x (1) y",
            LineOf.Bobs(
                "m.poll.start",
                """{"m.poll":{"question":{"m.text":[{"body":"x"}]},"max_selections":"2","answers":[{"m.text":[{"body":"y"}]}]}}"""));

    [Theory]
    [InlineData("m.poll.end", "\"m.text\":[{\"body\":\"soup won\"}]", "@bob:x", "<@bob:x, poll \"Soup or pizza?\" ended> soup won")]
    [InlineData(
        "org.matrix.msc3381.poll.end", "\"org.matrix.msc3381.poll.end\":{},\"org.matrix.msc1767.text\":\"soup won\"", "@bob:x",
        "<@bob:x, poll \"Soup or pizza?\" ended> soup won")]
    [InlineData("m.poll.end", "\"m.poll.results\":{\"a\":2}", "@bob:x", "<@bob:x, poll \"Soup or pizza?\" ended>")]
    [InlineData(
        "m.poll.end", "\"m.text\":[{\"body\":\"enough\"}]", "@alice:x",
        "<@bob:x, ends the poll \"Soup or pizza?\" of @alice:x 19:20:11> enough")]
    public void The_end_of_a_poll_shows_its_text_and_another_creator(string type, string content, string creator, string line)
    {
        var poll = LineOf.Event(creator, "m.poll.start", Stable);
        var end = $$$"""{"m.relates_to":{"rel_type":"m.reference","event_id":"{{{poll.EventId}}}"},{{{content}}}}""";
        Assert.Equal(line, LineOf.Bobs(type, end, poll));
    }

    [Fact]
    public void The_end_of_an_unknown_poll_shows_its_id() =>
        Assert.Equal(
            "<@bob:x, ends the poll $e> soup won",
            LineOf.Bobs("m.poll.end", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$e"},"m.text":[{"body":"soup won"}]}"""));

    [Theory]
    [InlineData("m.poll.start", """{"m.text":[{"body":"x"}]}""")]
    [InlineData("m.poll.start", """{"m.poll":{"question":{"m.text":[{"body":"x"}]},"answers":[]}}""")]
    [InlineData("m.poll.start", """{"m.poll":{"question":{"m.text":[{"body":"x"}]},"answers":[{"m.id":"a"}]}}""")]
    [InlineData("m.poll.start", """{"m.poll":{"question":{"m.text":[{"body":"x"}]},"answers":[5]}}""")]
    [InlineData("m.poll.start", """{"m.poll":{"question":{"m.text":"x"},"answers":[{"m.text":[{"body":"y"}]}]}}""")]
    [InlineData("m.poll.start", """{"m.poll":[]}""")]
    [InlineData("m.poll.response", """{"m.selections":["a"]}""")]
    [InlineData("m.poll.response", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$e"}}""")]
    [InlineData("m.poll.response", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$e"},"m.selections":[1]}""")]
    [InlineData("m.poll.response", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$e"},"m.selections":"a"}""")]
    [InlineData("m.poll.end", """{"m.text":[{"body":"soup won"}]}""")]
    [InlineData("m.poll.end", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$e"},"m.text":[{"body":1}]}""")]
    public void A_malformed_poll_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal($"*** @bob:x {type} {content}", LineOf.Bobs(type, content));

    [Fact]
    public void The_end_of_another_event_is_rendered_by_the_fallback()
    {
        const string End = """{"m.relates_to":{"rel_type":"m.reference","event_id":"$theirs"},"m.text":[{"body":"x"}]}""";
        Assert.Equal(
            $"*** @bob:x m.poll.end {End}",
            LineOf.Bobs("m.poll.end", End, LineOf.Event("@alice:x", "m.room.message", """{"msgtype":"m.text","body":"hello"}""")));
    }
}
