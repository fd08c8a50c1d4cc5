using LoggingService.Search;

namespace LoggingService.Tests.Search;

/// <summary>Words of all scripts, and how they are highlighted.</summary>
public sealed class SearchWordsTests : SearchTestBase
{
    [Theory]
    [InlineData("今天天气很好", "天气")]
    [InlineData("今天天气很好", "天天气")]
    [InlineData("今天天气很好", "好")]
    [InlineData("今天天气很好", "今")]
    [InlineData("今天天气很好，我们去喝茶", "\"很好，我们\"")]
    [InlineData("東京タワーへ行きましょう", "タワー")]
    [InlineData("東京タワーへ行きましょう", "ワー")]
    [InlineData("ラーメン食べたい", "食べ")]
    [InlineData("Linux用ドライバ", "linux用")]
    [InlineData("用Linux吧", "用linux")]
    [InlineData("안녕하세요 여러분", "안녕하세요")]
    [InlineData("안녕하세요 여러분", "하세")]
    [InlineData("สวัสดีครับ", "ครับ")]
    [InlineData("𠮷野家で食べる", "𠮷野")]
    [InlineData("Café crème brûlée", "cafe creme")]
    [InlineData("cafe creme", "Café")]
    [InlineData("cafe\u0301", "café")]
    [InlineData("Tiếng Việt", "tieng viet")]
    [InlineData("Привет, МИР", "мир")]
    [InlineData("ΟΔΥΣΣΕΑΣ", "οδυσσεας")]
    [InlineData("שָׁלוֹם עולם", "שלום")]
    [InlineData("مَرحَبًا بالعالم", "مرحبا")]
    [InlineData("हिन्दी में लिखो", "हिन्दी")]
    [InlineData("great 🎉party", "🎉")]
    [InlineData("well done 👍🏽", "👍")]
    [InlineData("👍", "👍🏿")]
    [InlineData("love ❤️", "❤")]
    [InlineData("20° outside", "20")]
    [InlineData("see https://example.org/a_b?c=d", "example.org")]
    [InlineData("see https://example.org/a_b?c=d", "https://example.org/a_b")]
    [InlineData("foo\0bar", "bar")]
    public void A_word_is_found_and_highlighted(string text, string query)
    {
        Write(Day, Message("$1", text), Message("$2", "something else", 1));
        Index();
        Assert.Equal(["$1"], Find(query));
        using var highlighter = new Highlighter(SearchQueryParser.Parse(query));
        Assert.NotEmpty(highlighter.Find(text));
        Assert.Empty(highlighter.Find("something else"));
    }

    [Theory]
    [InlineData("今天天气很好", "天很")]
    [InlineData("今天天气很好", "气天")]
    [InlineData("हिन्दी", "हन")]
    [InlineData("cafeteria", "cafe")]
    [InlineData("👎", "👍")]
    public void Another_word_is_not_found(string text, string query)
    {
        Write(Day, Message("$1", text));
        Index();
        Assert.Empty(Find(query));
    }

    [Theory]
    [InlineData("tea", "Tea and TEA, not teapot", "Tea|TEA")]
    [InlineData("te*", "Tea and teapot", "Tea|teapot")]
    [InlineData("\"good tea\" pot", "good tea, good pot", "good tea|pot")]
    [InlineData("天气 好", "今天天气很好吗", "天气|好吗")]
    [InlineData("很好", "今天天气很好", "很好")]
    [InlineData("cafe", "a café\u0301!", "café\u0301")]
    [InlineData("tea from:alice has:link", "alice has tea", "tea")]
    [InlineData("from:alice", "alice has tea", "")]
    [InlineData("tea", "", "")]
    public void The_words_of_a_query_are_highlighted_in_the_text_as_it_is(string query, string text, string expected)
    {
        using var highlighter = new Highlighter(SearchQueryParser.Parse(query));
        Assert.Equal(expected, string.Join('|', highlighter.Find(text).Select(range => text[range])));
    }

    [Theory]
    [InlineData("\"")]
    [InlineData("\"\"\"")]
    [InlineData("tea\" OR 1=1 --")]
    [InlineData("tea AND")]
    [InlineData("NOT tea")]
    [InlineData("NEAR(tea milk)")]
    [InlineData("text:tea")]
    [InlineData("{text}:tea")]
    [InlineData("^tea")]
    [InlineData("(tea")]
    [InlineData("tea +")]
    [InlineData("*")]
    [InlineData("**")]
    [InlineData("t*")]
    [InlineData("'; DROP TABLE hit; --")]
    [InlineData("from:' OR '1'='1")]
    [InlineData("from:%")]
    [InlineData("from:\\")]
    [InlineData("from: in: before: after: has:")]
    [InlineData("before:yesterday after:9999-12-31 after:0001-01-01 before:99999")]
    [InlineData("in:\"")]
    [InlineData("tea\0milk")]
    [InlineData("\ud800 \udc00 \uffff \ufeff")]
    [InlineData("日\ud800")]
    [InlineData("\u0301")]
    [InlineData("\ue000")]
    [InlineData("!!! ???")]
    public void No_input_is_an_error(string query)
    {
        Write(Day, Message("$1", "tea \ue000 milk"), Message("$2", "drop table hit or and not near text", 1));
        Index();
        Assert.True(Search(query).IsComplete);
        using var highlighter = new Highlighter(SearchQueryParser.Parse(query));
        Assert.NotNull(highlighter.Find("tea milk"));
        Assert.Equal(["$1"], Find("tea"));
    }

    [Fact]
    public void Operators_of_the_index_are_words()
    {
        Write(Day, Message("$1", "tea or coffee"), Message("$2", "tea", 1), Message("$3", "not near", 2));
        Index();
        Assert.Equal(["$1"], Find("tea OR"));
        Assert.Equal(["$3"], Find("NOT NEAR"));
    }

    [Fact]
    public void A_very_long_query_is_cut()
    {
        var query = SearchQueryParser.Parse(string.Concat(Enumerable.Range(0, 100_000).Select(i => $"word{i} ")));
        Assert.Equal(SearchQueryParser.MaxTerms, query.Terms.Count);
        Assert.NotEmpty(query.Ignored);
        Write(Day, Message("$1", "tea"));
        Index();
        Assert.True(Search(string.Concat(Enumerable.Repeat("\"* ", 100_000))).IsComplete);
        Assert.True(Search(new string('茶', 100_000)).IsComplete);
    }

    [Fact]
    public void Parts_that_are_not_understood_are_named()
    {
        var query = SearchQueryParser.Parse("tea before:yesterday has:wings !!! foo:bar from:\"@a b:x\" After:2026");
        Assert.Equal(["before:yesterday", "has:wings", "!!!"], query.Ignored);
        Assert.Equal(["tea", "foo:bar"], query.Terms.Select(term => term.Text));
        Assert.Equal(["@a b:x"], query.From);
        Assert.Equal(new DateOnly(2027, 1, 1), query.After);
    }
}
