using LoggingService.Lines;

namespace LoggingService.Tests;

public class SafeTextTests
{
    [Theory]
    [InlineData("hello, world! {0} %s ${x} <b> \"q\" \\")]
    [InlineData("Älva, ñandú, Škoda")]
    [InlineData("日本語とعربيةとעברית")]
    [InlineData("👩‍👩‍👧‍👦 🏳️‍🌈 🏴‍☠️ ❤️‍🔥 ❤️ 1️⃣ #️⃣ ©️ 👍🏽 👩🏽‍🚀 🇸🇪 ⛹🏽‍♀️ ☀︎")]
    [InlineData("🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F")]
    [InlineData("می\u200Cخواهم")]
    [InlineData("ක්\u200Dෂ ന്\u200D क्\u200Cष")]
    [InlineData("葛\U000E0100")]
    [InlineData("\u0600١٢٣")]
    public void Words_emoji_and_scripts_stay_whole(string text) => Assert.Equal(text, SafeText.Of(text));

    [Theory]
    [InlineData("a\nb", "a␊b")]
    [InlineData("a\r\nb", "a␊b")]
    [InlineData("a\rb", "a␍b")]
    [InlineData("\tx\0\a\u001b[31m\u007f", "␉x␀␇␛[31m␡")]
    [InlineData("\u0085\u009b", "\\u{85}\\u{9B}")]
    [InlineData("\u2028\u2029", "\\u{2028}\\u{2029}")]
    public void A_control_character_is_a_picture_of_itself(string text, string safe) => Assert.Equal(safe, SafeText.Of(text));

    [Theory]
    [InlineData("\u202Eright to left", "\\u{202E}right to left")]
    [InlineData("\u200E\u200F\u061C\u2066\u2067\u2068\u2069\u202A\u202B\u202C\u202D", "\\u{200E}\\u{200F}\\u{61C}\\u{2066}\\u{2067}\\u{2068}\\u{2069}\\u{202A}\\u{202B}\\u{202C}\\u{202D}")]
    [InlineData("zero\u200Bwidth\uFEFF\u2060\u00AD", "zero\\u{200B}width\\u{FEFF}\\u{2060}\\u{AD}")]
    [InlineData("\u3164\uFFA0\u115Fx", "\\u{3164}\\u{FFA0}\\u{115F}x")]
    [InlineData("\uFFFE", "\\u{FFFE}")]
    public void What_hides_or_reorders_is_named(string text, string safe) => Assert.Equal(safe, SafeText.Of(text));

    [Theory]
    [InlineData("a\u200Db\u200Cc", "a\\u{200D}b\\u{200C}c")]
    [InlineData("\u200D👩", "\\u{200D}👩")]
    [InlineData("👩\u200D", "👩\\u{200D}")]
    [InlineData("👩\u200D\u200D👩", "👩\\u{200D}\\u{200D}👩")]
    [InlineData("می\u200C\u200Cخ", "می\u200C\\u{200C}خ")]
    [InlineData("a\uFE0F", "a\\u{FE0F}")]
    [InlineData("😀\uFE0F\uFE0E", "😀\uFE0F\\u{FE0E}")]
    [InlineData("😀\U000E0101", "😀\\u{E0101}")]
    [InlineData("a\U000E0068\U000E0069", "a\\u{E0068}\\u{E0069}")]
    [InlineData("🏴\U000E0067\U000E0062", "🏴\\u{E0067}\\u{E0062}")]
    public void Joiners_selectors_and_tags_where_they_join_nothing_are_named(string text, string safe) => Assert.Equal(safe, SafeText.Of(text));

    [Fact]
    public void Half_a_character_is_named()
    {
        Assert.Equal("a\\u{D800}b", SafeText.Of("a\uD800b"));
        Assert.Equal("\\u{DC00}\\u{D83D}", SafeText.Of("\uDC00\uD83D"));
        Assert.Equal("@a\\u{D800}:x", SafeText.UserId("@a\uD800:x"));
        Assert.Equal("👩\\u{200D}\\u{D83D}", SafeText.Of("👩\u200D\uD83D"));
    }

    [Fact]
    public void Quoted_words_cannot_end_their_quotes() =>
        Assert.Equal("\"a \\\"b\\\" \\\\ ␊ \\u{202E} \\\\u{202E}\"", SafeText.Quoted("a \"b\" \\ \n \u202E \\u{202E}"));

    [Theory]
    [InlineData("@alice:example.org", "@alice:example.org")]
    [InlineData("@a b<c>d,e\"f:x", "@a%20b%3Cc%3Ed%2Ce%22f:x")]
    [InlineData("@a\u00A0b\u3000c\u2800:x", "@a%C2%A0b%E3%80%80c%E2%A0%80:x")]
    [InlineData("@a\nb\u2028c\u202E:x", "@a␊b\\u{2028}c\\u{202E}:x")]
    [InlineData("", "?")]
    [InlineData(null, "?")]
    public void A_user_id_is_one_word(string? id, string word) => Assert.Equal(word, SafeText.UserId(id));

    [Theory]
    [InlineData("Screenshot.from-Monday(1).png", "Screenshot.from-Monday(1).png")]
    [InlineData("Screenshot from Monday.png", "\"Screenshot from Monday.png\"")]
    [InlineData("640×480", "\"640×480\"")]
    [InlineData("mxc://x/a.b", "\"mxc://x/a.b\"")]
    [InlineData("a, 640×480.png", "\"a, 640×480.png\"")]
    [InlineData("a> b", "\"a> b\"")]
    [InlineData("a\"b\\", "\"a\\\"b\\\\\"")]
    [InlineData(" ", "\" \"")]
    public void A_file_name_that_could_break_the_head_is_quoted(string name, string inHead) => Assert.Equal(inHead, SafeText.FileName(name));

    [Theory]
    [InlineData("com.example.thing", "com.example.thing")]
    [InlineData("joined", "\"joined\"")]
    [InlineData("joined as \"x.y\"", "\"joined as \\\"x.y\\\"\"")]
    [InlineData("", "\"\"")]
    public void A_type_that_could_be_a_sentence_is_quoted(string type, string inLine) => Assert.Equal(inLine, SafeText.EventType(type));

    [Fact]
    public void An_excerpt_ends_between_characters_as_people_count_them()
    {
        Assert.Equal("\"see you then\"", SafeText.Excerpt("see you then"));
        Assert.Equal($"\"{new string('x', 39)}👩‍👩‍👧‍👦…\"", SafeText.Excerpt(new string('x', 39) + "👩‍👩‍👧‍👦 and more"));
        Assert.True(SafeText.Excerpt("a" + new string('\u0301', 5000)).Length < 300);
    }
}
