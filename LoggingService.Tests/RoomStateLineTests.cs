using System.Text;
using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class RoomStateLineTests
{
    [Theory]
    [InlineData("""{"room_version":"11"}""", "created the room (version 11)")]
    [InlineData("""{"creator":"@bob:x"}""", "created the room (version 1)")]
    [InlineData("""{"creator":"@bridge:x","room_version":"6"}""", "created the room (version 6, creator @bridge:x)")]
    [InlineData("""{"room_version":"11","type":"m.space"}""", "created the space (version 11)")]
    [InlineData("""{"room_version":"11","type":"m.\"x"}""", "created the room (version 11, of type \"m.\\\"x\")")]
    [InlineData(
        """{"room_version":"11","predecessor":{"room_id":"!old:x","event_id":"$e"}}""",
        "created the room (version 11, upgraded from !old:x)")]
    [InlineData(
        """{"room_version":"12","additional_creators":["@c:x","@d:x"]}""", "created the room (version 12, together with @c:x and @d:x)")]
    [InlineData(
        """{"room_version":"org.example.1","m.federate":false}""", "created the room (version org.example.1, closed to other servers)")]
    [InlineData("""{"room_version":"1) x"}""", "created the room (version \"1) x\")")]
    public void The_creation_of_a_room_has_a_sentence(string content, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.create", content));

    [Theory]
    [InlineData("""{"topic":"words","m.topic":{"m.text":[{"body":""}]}}""", "", "set the topic to \"words\"")]
    [InlineData("""{"topic":"words","m.topic":{"m.text":null}}""", "", "set the topic to \"words\"")]
    [InlineData("""{"topic":""}""", """{"topic":"old"}""", "removed the topic \"old\"")]
    [InlineData("""{}""", """{"topic":""}""", "removed the topic")]
    [InlineData("""{"m.topic":{"m.text":[{"body":"new"}]}}""", """{"topic":"old"}""", "set the topic to \"new\"")]
    public void A_removed_topic_is_repeated(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.topic", content, previous));

    [Theory]
    [InlineData("""{"url":"mxc://x/a"}""", "", "set the room avatar")]
    [InlineData("""{"url":"mxc://x/a"}""", """{}""", "set the room avatar")]
    [InlineData("""{"url":"mxc://x/b"}""", """{"url":"mxc://x/a"}""", "changed the room avatar")]
    [InlineData("""{"url":"mxc://x/a"}""", """{"url":"mxc://x/a"}""", "set the room avatar")]
    [InlineData("""{"url":""}""", """{"url":"mxc://x/a"}""", "removed the room avatar")]
    [InlineData("""{}""", "", "removed the room avatar")]
    public void Changes_of_the_avatar_have_sentences(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.avatar", content, previous));

    [Theory]
    [InlineData("""{"alias":"#a:x"}""", "", "set the main alias to #a:x")]
    [InlineData("""{"alias":"#a:x","alt_aliases":["#b:x","#c:x"]}""", "", "set the main alias to #a:x and the other aliases to #b:x, #c:x")]
    [InlineData("""{"alt_aliases":["#b:x"]}""", "", "set the aliases to #b:x, without a main one")]
    [InlineData("""{}""", "", "removed the main alias")]
    [InlineData("""{"alias":"#b:x"}""", """{"alias":"#a:x"}""", "changed the main alias from #a:x to #b:x")]
    [InlineData("""{"alias":"#b:x"}""", """{}""", "set the main alias to #b:x")]
    [InlineData("""{"alias":""}""", """{"alias":"#a:x"}""", "removed the main alias #a:x")]
    [InlineData("""{"alias":null}""", """{"alias":"#a:x"}""", "removed the main alias #a:x")]
    [InlineData(
        """{"alias":"#a:x","alt_aliases":["#c:x","#d:x"]}""", """{"alias":"#a:x","alt_aliases":["#b:x"]}""",
        "added the aliases #c:x, #d:x and removed the alias #b:x")]
    [InlineData(
        """{"alias":"#b:x","alt_aliases":["#a:x"]}""", """{"alias":"#a:x"}""",
        "changed the main alias from #a:x to #b:x and added the alias #a:x")]
    [InlineData("""{"alias":"#a:x"}""", """{"alias":"#a:x"}""", "set the aliases again (nothing changed)")]
    [InlineData("""{"alias":"#a:x","alt_aliases":["#a:x","#b:x"]}""", "", "set the main alias to #a:x and the other aliases to #b:x")]
    [InlineData("""{"alias":"#a:x","alt_aliases":["#a:x"]}""", "", "set the main alias to #a:x")]
    [InlineData("""{"alias":"#a:x","alt_aliases":["#a:x"]}""", """{}""", "set the main alias to #a:x")]
    [InlineData(
        """{"alias":"#b:x","alt_aliases":["#a:x","#b:x"]}""", """{"alias":"#a:x","alt_aliases":["#a:x","#b:x"]}""",
        "changed the main alias from #a:x to #b:x")]
    [InlineData("""{}""", """{"alias":"#a:x","alt_aliases":["#a:x","#b:x"]}""", "removed the main alias #a:x and removed the alias #b:x")]
    [InlineData("""{"alias":"#a, \"#b\" and:x"}""", "", "set the main alias to #a%2C%20%22#b%22%20and:x")]
    [InlineData("""{"alias":"no alias"}""", "", "set the main alias to \"no alias\"")]
    public void Changes_of_the_aliases_have_sentences(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.canonical_alias", content, previous));

    [Theory]
    [InlineData("""{"aliases":["#a:y","#b:y"]}""", "", "set the aliases of y.example to #a:y, #b:y")]
    [InlineData("""{"aliases":["#a:y","#b:y"]}""", """{"aliases":["#a:y"]}""", "added the alias #b:y")]
    [InlineData("""{"aliases":[]}""", """{"aliases":["#a:y"]}""", "removed the alias #a:y")]
    [InlineData("""{"aliases":[]}""", "", "removed the aliases of y.example")]
    [InlineData("""{"aliases":["#a:y"]}""", """{"aliases":["#a:y"]}""", "set the aliases of y.example again (nothing changed)")]
    public void Aliases_published_by_a_server_have_sentences(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.aliases", content, previous, "y.example"));

    [Theory]
    [InlineData("""{"pinned":["$a"]}""", """{}""", "set the pinned events (1 in all)")]
    [InlineData("""{"pinned":["$a"]}""", "", "set the pinned events (1 in all)")]
    [InlineData("""{"pinned":[]}""", "", "set the pinned events (none left)")]
    [InlineData("""{"pinned":["$a"]}""", """{"pinned":[]}""", "pinned the event $a (1 in all)")]
    [InlineData("""{"pinned":["$a","$b","$c"]}""", """{"pinned":["$a"]}""", "pinned the event $b, the event $c (3 in all)")]
    [InlineData("""{"pinned":["$a","$b","$c","$d"]}""", """{"pinned":[]}""", "pinned 4 events (4 in all)")]
    [InlineData("""{"pinned":[]}""", """{"pinned":["$a"]}""", "unpinned the event $a (none left)")]
    [InlineData(
        """{"pinned":["$b"]}""", """{"pinned":["$a","$c"]}""", "pinned the event $b and unpinned the event $a, the event $c (1 in all)")]
    [InlineData("""{"pinned":["$b","$a"]}""", """{"pinned":["$a","$b"]}""", "put the pinned events in another order")]
    [InlineData("""{"pinned":["$a"]}""", """{"pinned":["$a"]}""", "set the pinned events again (nothing changed)")]
    public void Pinned_events_are_counted(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.pinned_events", content, previous));

    [Theory]
    [InlineData("", "switched encryption on: messages can no longer be logged")]
    [InlineData("{}", "switched encryption on: messages can no longer be logged")]
    [InlineData(
        """{"algorithm":"m.megolm.v1.aes-sha2","rotation_period_msgs":1}""",
        "changed the settings of encryption: messages still cannot be logged")]
    [InlineData(
        """{"algorithm":"m.megolm.v1.aes-sha2"}""", "switched encryption on again (nothing changed): messages still cannot be logged")]
    public void Encryption_has_a_sentence(string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.encryption", """{"algorithm":"m.megolm.v1.aes-sha2"}""", previous));

    [Theory]
    [InlineData("""{"body":"Moved \"there\"","replacement_room":"!new:x"}""", "upgraded the room to !new:x: \"Moved \\\"there\\\"\"")]
    [InlineData("""{"replacement_room":"!new"}""", "upgraded the room to !new")]
    [InlineData("""{"replacement_room":"the room next door"}""", "upgraded the room to \"the room next door\"")]
    [InlineData("""{"body":"Closed"}""", "closed the room: \"Closed\"")]
    public void A_replaced_room_shows_its_successor(string content, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.tombstone", content));

    [Theory]
    [InlineData("m.room.name", "changed the room name")]
    [InlineData("m.room.topic", "changed the topic")]
    [InlineData("m.room.avatar", "changed the room avatar")]
    [InlineData("m.room.canonical_alias", "changed the aliases")]
    [InlineData("m.room.pinned_events", "changed the pinned events")]
    [InlineData("m.room.encryption", "changed m.room.encryption [\"\"]")]
    [InlineData("m.room.aliases", "changed m.room.aliases [\"\"]")]
    [InlineData("m.room.retention", "changed m.room.retention [\"\"]")]
    [InlineData("com.example.thing", "changed com.example.thing [\"\"]")]
    [InlineData("the room name", "changed \"the room name\" [\"\"]")]
    public void State_that_arrives_redacted_shows_only_what_it_was(string type, string sentence) =>
        Assert.Equal($"{sentence}, removed before it was logged", StateLine.Redacted(type, previous: """{"name":"A","url":"mxc://x/a"}"""));

    [Theory]
    [InlineData("m.room.create", """{"creator":"@bob:x"}""", "created the room")]
    [InlineData("m.room.join_rules", """{"join_rule":"public"}""", "set who may join: anyone")]
    [InlineData("m.room.history_visibility", """{"history_visibility":"shared"}""", "set who may read: members")]
    [InlineData("m.room.power_levels", """{"users":{"@c:x":50}}""", "changed power levels: @c:x 0 → 50")]
    [InlineData("m.room.aliases", """{"aliases":["#a:y"]}""", "set the aliases of \"\" to #a:y")]
    public void The_content_that_a_redaction_keeps_is_shown_and_marked(string type, string content, string sentence)
    {
        var previous = type == "m.room.power_levels" ? """{"invite":50,"notifications":{"room":20}}""" : "null";
        Assert.Equal($"{sentence} (the rest was removed before it was logged)", StateLine.Redacted(type, content, previous: previous));
    }

    [Theory]
    [InlineData("m.room.create", """{"room_version":11}""")]
    [InlineData("m.room.create", """{"type":{}}""")]
    [InlineData("m.room.create", """{"predecessor":"!a:x"}""")]
    [InlineData("m.room.create", """{"predecessor":{"room_id":1}}""")]
    [InlineData("m.room.create", """{"m.federate":"no"}""")]
    [InlineData("m.room.create", """{"additional_creators":[1]}""")]
    [InlineData("m.room.create", "null")]
    [InlineData("m.room.name", """{"name":[]}""")]
    [InlineData("m.room.name", "[]")]
    [InlineData("m.room.topic", "\"x\"")]
    [InlineData("m.room.topic", """{"topic":"x","m.topic":{"m.text":"x"}}""")]
    [InlineData("m.room.topic", """{"topic":"x","m.topic":{"m.text":[{"body":1}]}}""")]
    [InlineData("m.room.topic", """{"topic":1,"m.topic":{"m.text":[{"body":"x"}]}}""")]
    [InlineData("m.room.avatar", """{"url":1}""")]
    [InlineData("m.room.canonical_alias", """{"alias":["#a:x"]}""")]
    [InlineData("m.room.canonical_alias", """{"alt_aliases":"#a:x"}""")]
    [InlineData("m.room.canonical_alias", """{"alt_aliases":["#a:x",null]}""")]
    [InlineData("m.room.aliases", """{"aliases":{}}""")]
    [InlineData("m.room.pinned_events", """{"pinned":"$a"}""")]
    [InlineData("m.room.pinned_events", """{"pinned":[{}]}""")]
    [InlineData("m.room.pinned_events", """{}""")]
    [InlineData("m.room.pinned_events", """{"pinned":null}""")]
    [InlineData("m.room.encryption", """{"algorithm":1}""")]
    [InlineData("m.room.encryption", """{}""")]
    [InlineData("m.room.tombstone", """{"body":1,"replacement_room":"!a:x"}""")]
    [InlineData("m.room.tombstone", """{}""")]
    public void Content_of_the_wrong_type_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal(StateLine.General(type, content), StateLine.Of(type, content));

    [Theory]
    [InlineData("m.room.create", """{"room_version":"11"}""")]
    [InlineData("m.room.avatar", """{"url":"mxc://x/a"}""")]
    [InlineData("m.room.canonical_alias", """{"alias":"#a:x"}""")]
    [InlineData("m.room.power_levels", """{"users":{}}""")]
    [InlineData("m.room.tombstone", """{"body":"x"}""")]
    [InlineData("m.room.encryption", """{"algorithm":"x"}""")]
    public void State_with_an_unexpected_state_key_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal(StateLine.General(type, content, "key"), StateLine.Of(type, content, stateKey: "key"));

    [Theory]
    [InlineData("m.room.topic:", "changed m.room.topic, encrypted: cannot be logged")]
    [InlineData("m.room.member:@a:x", "changed m.room.member [\"@a:x\"], encrypted: cannot be logged")]
    [InlineData("odd", "changed m.room.encrypted [\"odd\"], encrypted: cannot be logged")]
    [InlineData(":", "changed m.room.encrypted [\":\"], encrypted: cannot be logged")]
    public void Encrypted_state_is_named_without_its_ciphertext(string key, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.encrypted", """{"ciphertext":"x"}""", stateKey: key));

    [Fact]
    public void Previous_content_of_the_wrong_type_counts_as_unknown()
    {
        Assert.Equal("set the room name to \"B\"", StateLine.Of("m.room.name", """{"name":"B"}""", """{"name":1}"""));
        Assert.Equal(
            "set the pinned events (1 in all)", StateLine.Of("m.room.pinned_events", """{"pinned":["$a"]}""", """{"pinned":[1]}"""));
        Assert.Equal("set the power levels: @c:x 50", StateLine.Of("m.room.power_levels", """{"users":{"@c:x":50}}""", """{"users":[]}"""));
    }

    [Fact]
    public void Without_prev_content_the_previous_content_is_read_from_the_record()
    {
        var earlier = Event("$earlier", """{"url":"mxc://x/a"}""");
        var line = LineOf.Render(
            Event("$now", """{"url":"mxc://x/b"}"""),
            new FixedHistory(_ => null, (type, key) => (type, key) == ("m.room.avatar", "") ? earlier : null),
            TimeZoneInfo.Utc, null);
        Assert.Equal("*** @bob:x changed the room avatar", line);

        static RoomEvent Event(string id, string content) =>
            RoomEvent.FromRecord(Encoding.UTF8.GetBytes($$"""
            {"event_id":"{{id}}","room_id":"!r:x","type":"m.room.avatar","sender":"@bob:x","state_key":"","content":{{content}}}
            """))!;
    }

    [Theory]
    [InlineData("everyday", "*** @alice:localhost created the space (version 11)")]
    [InlineData("everyday", "*** @alice:localhost created the room (version 1)")]
    [InlineData("everyday", "*** @alice:localhost set the room avatar")]
    [InlineData("everyday", "*** @alice:localhost changed the room name from \"Kitchen\" to \"Kitchen 🍳\"")]
    [InlineData("everyday", "*** @alice:localhost set the topic to \"new topic␊with a second line\"")]
    [InlineData("everyday", "*** @alice:localhost removed the topic \"new topic␊with a second line\"")]
    [InlineData("everyday", "*** @alice:localhost added the alias #logged_cook:localhost")]
    [InlineData("everyday", "*** @alice:localhost set the pinned events (1 in all)")]
    [InlineData("everyday", "*** @alice:localhost set which servers may take part: all but evil.example; no IP addresses")]
    [InlineData("everyday", "*** @alice:localhost changed who may join: anyone → only invited people")]
    [InlineData("everyday", "*** @alice:localhost changed who may join: only invited people → invited people (others may knock)")]
    [InlineData("everyday", "*** @alice:localhost changed who may join: invited people (others may knock) → anyone")]
    [InlineData("everyday", "*** @alice:localhost changed power levels: @bob:localhost 0 → 50")]
    [InlineData("everyday", "*** @alice:localhost set the widget \"w\": \"https://example.org\"")]
    [InlineData("everyday", "*** @alice:localhost added !FlILRveKHQgTqzsFbD:localhost to the space")]
    [InlineData(
        "everyday",
        "*** @alice:localhost upgraded the room to !rN-GSxbIS0bmCnEOdmIQjUwrokqpLbEhcNcnvNlzYfs: \"This room has been replaced\"")]
    [InlineData("alias_added_later", "*** @alice:localhost allowed guests to join")]
    [InlineData("alias_added_later", "*** @alice:localhost changed who may read: members → anyone")]
    [InlineData("room_upgrade", "*** @logging:localhost created the room (version 12, upgraded from !MBPZTNMYDTPFrEXzXW:localhost)")]
    [InlineData("room_upgrade", "*** @logging:localhost removed the main alias #logged_k_as:localhost")]
    [InlineData("encryption", "*** @alice:localhost switched encryption on: messages can no longer be logged")]
    public void Recorded_events_of_Synapse_have_sentences(string recording, string line) =>
        Assert.Contains(line, RecordedTraffic.Lines(recording));
}
